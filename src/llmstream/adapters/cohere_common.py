"""What the readers of both versions of Cohere's chat API share: how an answer ends, usage, failures.

Sources: Cohere API reference, "Chat with Streaming" (v2/chat); guide "Migrating From API v1 to API v2",
read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters.json_values import count_at, text_at
from llmstream.errors import BadMessage, ContextTooLong, Unavailable
from llmstream.events import Event, Finish, FinishReason, Usage
from llmstream.wire.document import Document

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls",
    "CONTENT_BLOCKED": "content_filter", "ERROR_TOXIC": "content_filter", "USER_CANCEL": "cancelled",
}  # fmt: skip

FAILURES: Final = frozenset({"ERROR", "ERROR_LIMIT", "TIMEOUT"})
"""Finish reasons that report a failure, whatever the HTTP status was."""


def ended(end: Document, usage: Document | None) -> Iterator[Event]:
    """Yield the usage and the finish of an answer's last message; version 1 has them elsewhere.

    Raises:
        ProviderError: the reason is that the generation failed.
    """
    raw = text_at(end, "finish_reason")
    if raw in FAILURES:
        raise failure(end)
    if usage:
        yield _usage(usage)
    yield Finish(FINISH_REASONS.get(raw, "unknown"), raw or None)


def _usage(usage: Document) -> Usage:
    """Return what the model read and wrote; ``billed_units`` leave out what is free of charge."""
    tokens = usage.get("tokens") or {}
    return Usage(
        input_tokens=count_at(tokens, "input_tokens"),
        output_tokens=count_at(tokens, "output_tokens"),
        reasoning_tokens=count_at(tokens, "reasoning_tokens"),
        cached_tokens=count_at(usage, "cached_tokens"),
    )


def failure(document: Document) -> Exception:
    """Return the error that a message reports, by its finish reason or instead of an answer."""
    said, raw = http_errors.message_in(document), document.get("finish_reason")
    if raw == "ERROR_LIMIT":
        return ContextTooLong(said or "the answer reached the limit of the model's context (ERROR_LIMIT)")
    if raw in FAILURES:
        return Unavailable(f"{said or 'the generation failed'} ({raw})")
    return http_errors.in_stream(said) if said else BadMessage("a message is neither an event nor an error")
