"""Read text and thinking from a message's content in any form: a string, an object, a list of parts.

Sources: OpenAI's, Mistral's (``thinking``, ``reference``), Anthropic's and Snowflake's
(``reasoning_details``) references; Copilot's ``reasoning_text``; LiteLLM's ``thinking_blocks``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Final

from llmstream.errors import BadMessage
from llmstream.events import Event, ReasoningDelta, TextDelta
from llmstream.wire.document import Document

THINKING_NAMES: Final = (
    "reasoning_content", "reasoning", "reasoning_text", "thinking", "thought", "reasoning_details",
    "thinking_blocks",
)  # fmt: skip
"""Fields for thinking next to the text; a server that sends several repeats it in each."""

THINKING_PARTS: Final = frozenset(
    {"thinking", "reasoning", "reasoning_text", "reasoning_content", "reasoning_summary", "thought"}
)
NO_TEXT: Final = frozenset(
    {"reference", "citation", "redacted_thinking", "tool_use", "tool_call", "tool_result", "signature"}
)
"""Types of parts whose text is not part of the answer."""

INSIDE: Final = ("text", "thinking", "reasoning_text", "reasoning", "reasoning_content", "content", "value")
"""Fields for the text of a part or a nested object; the first one with text wins."""

BESIDE: Final = ("refusal", "summary")
DEEPEST: Final = 4


def content_events(content: object) -> Iterator[Event]:
    """Yield the text and thinking of a message's content; parts of unknown kinds with text are text.

    Raises:
        BadMessage: the value is not text, a number, an object or a list of these.
    """
    if content is None:
        return
    if isinstance(content, str):
        if content:
            yield TextDelta(content)
        return
    for part in _parts(content):
        if isinstance(part, str):
            kind, text = "text", part
        else:
            kind = str(part.get("type") or "")
            text = "" if kind in NO_TEXT else _inner(part)
        if text:
            thinking = kind in THINKING_PARTS or (not kind and isinstance(part, dict) and "thinking" in part)
            yield ReasoningDelta(text) if thinking else TextDelta(text)


def thinking_in(delta: Document) -> str:
    """Return the thinking next to a delta's text, from the first field that has any.

    Raises:
        BadMessage: the value is not text, a number, an object or a list of these.
    """
    for name in THINKING_NAMES:
        value = _as_text(delta.get(name))
        if value:
            found = text_of(value)
            if found:
                return found
    return ""


def text_of(value: object) -> str:
    """Return the text of a value, with its parts joined.

    Raises:
        BadMessage: the value is not text, a number, an object or a list of these.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    pieces = [part if isinstance(part, str) else _inner(part) for part in _parts(value)]
    return "".join(pieces)


def _parts(content: object) -> list[str | Document]:
    entries = [_as_text(entry) for entry in (content if isinstance(content, list) else [content])]
    found: list[str | Document] = [part for part in entries if isinstance(part, str | dict)]
    if len(found) != len(entries) - sum(part is None for part in entries):
        raise BadMessage("a message's content is neither text nor a list of parts")
    return found


def _as_text(value: object) -> object:
    """Return a number as text, because Cloudflare sends a token such as ``6`` as a number; else the value."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return json.dumps(value)
    return value


def _inner(part: Document, depth: int = 0) -> str:
    """Return the text of one part, which may be nested in objects and lists."""
    for name in (*INSIDE, *BESIDE):
        value = _as_text(part.get(name))
        if isinstance(value, str):
            if value:
                return value
        elif isinstance(value, dict | list) and depth < DEEPEST:
            inner = [
                piece if isinstance(piece, str) else _inner(piece, depth + 1)
                for piece in (value if isinstance(value, list) else [value])
                if isinstance(piece, str | dict)
            ]
            if any(inner):
                return "".join(inner)
        elif value is not None and not isinstance(value, dict | list):
            raise BadMessage(f'"{name}" in a part of the answer is not text')
    return ""
