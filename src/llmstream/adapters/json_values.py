"""Typed looks into JSON documents, for dialects whose answers and requests hold objects.

Where OpenAI's API has the arguments of a tool call as JSON text, Ollama and Bedrock have an object;
the text is what our events and messages carry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from llmstream.errors import BadMessage, UsageError
from llmstream.prompt import Json, ToolCall
from llmstream.wire.document import Document


def text_at(document: Document, key: str) -> str:
    """Return the text under a key, empty when there is none or it is null.

    Raises:
        BadMessage: the value is no text.
    """
    value = document.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadMessage(f'"{key}" of a message is no text')
    return value


def count_at(document: Document, key: str) -> int | None:
    """Return the number under a key as a whole one, None when there is none."""
    value = document.get(key)
    return int(value) if isinstance(value, int | float) else None


def sum_at(document: Document, key: str, *apart: str) -> int | None:
    """Return the number under a key with those that are counted apart from it, None without the first."""
    first = count_at(document, key)
    return None if first is None else first + sum(count_at(document, other) or 0 for other in apart)


def names_at(document: object, key: str, field: str) -> list[str]:
    """Return one field of each object in the list under a key: the names in a list of models."""
    entries = document.get(key) if isinstance(document, dict) else None
    found = [e.get(field) for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return [name for name in found if isinstance(name, str)]


def arguments_text(arguments: object) -> str:
    """Return a tool call's arguments as JSON text, whether they came as text or as an object."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def arguments_object(call: ToolCall) -> dict[str, Json]:
    """Return a tool call's arguments as an object; no text at all is an empty one.

    Raises:
        UsageError: they are not the text of a JSON object, and so can't be sent.
    """
    try:
        value = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError(f"the arguments of the call of {call.name!r} are not a JSON object")
    return value


def laid_over(under: Mapping[str, Json], over: Mapping[str, Json]) -> dict[str, Json]:
    """Return `under` with `over` laid over it; objects that both have are merged, one level deep."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
