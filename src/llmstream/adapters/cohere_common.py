"""Shared by the readers of both versions of Cohere's chat API: the end of an answer, usage, failures.

Sources: Cohere API reference, "Chat with Streaming" (v2/chat); guide "Migrating From API v1 to API v2",
read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters.error_words import message_in
from llmstream.adapters.finish_reasons import finish
from llmstream.adapters.json_values import count_at, extras_at, reason_at
from llmstream.adapters.opening import reported
from llmstream.errors import BadMessage, ContextTooLong, Unavailable
from llmstream.events import Event, FinishReason, Usage
from llmstream.wire.document import Document

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {"STOP_SEQUENCE": "stop", "USER_CANCEL": "cancelled"}
"""Cohere's own finish reasons; the others are in `finish_reasons`."""

FAILURES: Final = frozenset({"ERROR", "ERROR_LIMIT", "TIMEOUT"})
"""Finish reasons that report a failure, whatever the HTTP status was."""


def ended(end: Document, usage: object) -> Iterator[Event]:
    """Yield the usage and the finish of an answer's last message.

    Args:
        end: the object with ``finish_reason``.
        usage: the object with the token counts, elsewhere in version 1; anything else for none.

    Raises:
        ProviderError: the finish reason is one of `FAILURES`.
    """
    raw = reason_at(end, "finish_reason")
    if raw.upper() in FAILURES:
        raise failure(end)
    if isinstance(usage, dict) and usage:
        yield _usage(usage)
    yield finish(raw, FINISH_REASONS)


def _usage(usage: Document) -> Usage:
    """Return the counts of ``tokens``, because ``billed_units`` don't include tokens that are free."""
    tokens = extras_at(usage, "tokens")
    return Usage(
        input_tokens=count_at(tokens, "input_tokens"),
        output_tokens=count_at(tokens, "output_tokens"),
        reasoning_tokens=count_at(tokens, "reasoning_tokens"),
        cached_tokens=count_at(usage, "cached_tokens"),
    )


def failure(document: Document) -> Exception:
    """Return the error that a message reports, in its finish reason or as an error document."""
    raw = str(document.get("finish_reason")).upper()
    said = message_in(document)
    if raw == "ERROR_LIMIT":
        return ContextTooLong(said or "the answer reached the model's context limit (ERROR_LIMIT)")
    if raw in FAILURES:
        return Unavailable(f"{said or 'the generation failed'} ({raw})")
    return (
        reported(document)
        if said
        else BadMessage("the server sent a message that is neither an event nor an error")
    )
