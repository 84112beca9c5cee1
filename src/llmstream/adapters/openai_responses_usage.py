"""Token counts in OpenAI's responses API."""

from __future__ import annotations

from llmstream.adapters.json_values import cost_at, count_at, extras_at
from llmstream.events import Usage
from llmstream.wire.document import Document


def usage_of(counts: Document) -> Usage:
    """Return ``ResponseUsage`` as an event; OpenRouter adds ``cost`` in dollars."""
    return Usage(
        input_tokens=count_at(counts, "input_tokens"),
        output_tokens=count_at(counts, "output_tokens"),
        total_tokens=count_at(counts, "total_tokens"),
        reasoning_tokens=count_at(extras_at(counts, "output_tokens_details"), "reasoning_tokens"),
        cached_tokens=count_at(extras_at(counts, "input_tokens_details"), "cached_tokens"),
        cost=cost_at(counts, "cost"),
    )
