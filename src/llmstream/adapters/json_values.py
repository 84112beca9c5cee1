"""Typed access to JSON documents, tolerant of common deviations.

Servers deviate from their documentation: a number instead of text, an object instead of a list of one,
null for nothing.  These functions handle that for all dialects: a value that is unambiguous is accepted,
an invalid count is treated as not reported, and everything else raises BadMessage.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Final

from llmstream.errors import BadMessage, UsageError
from llmstream.prompt import Json, ToolCall
from llmstream.wire.document import Document

LARGEST_COUNT: Final = 2**53
"""Largest count that is accepted: the largest that every JSON reader can hold exactly."""


def text_at(document: Document, key: str) -> str:
    """Return the text under a key, empty if it is missing or null.

    Raises:
        BadMessage: the value is not text.
    """
    value = document.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(key, "text")
    return value


def name_at(document: Document, key: str) -> str | None:
    """Return the id or name under a key, None if missing or empty; an integer is converted to text.

    Raises:
        BadMessage: the value is neither text nor an integer.
    """
    value = document.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise _wrong(key, "text")
    return value


def reason_at(document: Document, key: str) -> str:
    """Return the finish reason under a key, in the provider's own words, empty for none.

    Raises:
        BadMessage: the value is not text.
    """
    return text_at(document, key).strip()


def index_at(document: Document, key: str) -> int | None:
    """Return the list index under a key, None if it is missing or null.

    Raises:
        BadMessage: the value is not a non-negative integer, as a number or as text.
    """
    value = document.get(key)
    if isinstance(value, str):
        value = _whole(value)
        if value is None:
            raise _wrong(key, "a place in a list")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or (type(value) is int and 0 <= value <= LARGEST_COUNT):
        return value
    raise _wrong(key, "a place in a list")


def object_at(document: Document, key: str) -> Document:
    """Return the object under a key, an empty one if it is missing or null.

    Raises:
        BadMessage: the value is not an object.
    """
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(key, "an object")
    return value


def extras_at(document: object, key: str) -> Document:
    """Return the object under a key, an empty one for anything else; for optional details such as counts."""
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, dict) else {}


def objects_at(document: Document, key: str) -> list[Document]:
    """Return the objects in the list under a key; a single object is treated as a list of one.

    Raises:
        BadMessage: the value is neither, or an entry is neither an object nor null.
    """
    value = document.get(key)
    if not value and not isinstance(value, bool | int | float | str):
        return []
    entries = [value] if isinstance(value, dict) else value
    if not isinstance(entries, list):
        raise _wrong(key, "a list")
    found = [entry for entry in entries if entry is not None]
    if not all(isinstance(entry, dict) for entry in found):
        raise _wrong(key, "a list of objects")
    return found


def count_of(value: object) -> int | None:
    """Return a count as an integer, None if it is missing or invalid."""
    if isinstance(value, str):
        value = _whole(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= LARGEST_COUNT else None


def count_at(document: Document, key: str) -> int | None:
    """Return the count under a key, None if it is missing or invalid."""
    return count_of(document.get(key))


def sum_at(document: Document, key: str, *apart: str) -> int | None:
    """Return the count under a key plus those under the other keys, None if the first one is missing."""
    first = count_at(document, key)
    return None if first is None else first + sum(count_at(document, other) or 0 for other in apart)


def cost_at(document: Document, key: str) -> float | None:
    """Return the price under a key in dollars, None if it is missing or invalid."""
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_COUNT:
        return None
    return float(value)


def names_at(document: object, key: str, field: str) -> list[str]:
    """Return a text field of each object in the list under a key, such as the names in a model list."""
    entries = document.get(key) if isinstance(document, dict) else None
    found = [e.get(field) for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return [name for name in found if isinstance(name, str)]


def arguments_text(arguments: object) -> str:
    """Return a tool call's arguments, sent as text or as a JSON value, as JSON text; "" for none."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return json.dumps(finite(arguments), ensure_ascii=False)


def finite(value: object) -> object:
    """Return a JSON value with NaN and Infinity, which are not valid JSON, replaced by null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    return [finite(inner) for inner in value] if isinstance(value, list) else value


def arguments_object(call: ToolCall) -> dict[str, Json]:
    """Return a tool call's arguments as an object, an empty one for no text.

    Raises:
        UsageError: the arguments are not a JSON object, and so can't be sent.
    """
    try:
        value = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError(f"the arguments of the call to {call.name!r} are not a JSON object")
    return value


def laid_over(under: Mapping[str, Json], over: Mapping[str, Json]) -> dict[str, Json]:
    """Return `under` updated with `over`; objects under the same key are merged, one level deep."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _whole(text: str) -> int | None:
    """Return a text of at most 15 ASCII digits as a number, None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _wrong(key: str, meant: str) -> BadMessage:
    return BadMessage(f'"{key}" in a message of the answer is not {meant}')
