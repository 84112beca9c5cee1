"""Parse the JSON text of wire messages, which happens for each token.

`json.loads` spends 0.9 of its 1.8 µs on regular expressions for white space (measured on a completions
chunk of 180 characters), so its scanner is called directly first.  NaN and Infinity are not JSON (RFC
8259, section 6), but servers written in Python send them in log probabilities that nobody requested:
a message may contain them, but only finite numbers are used.
"""

from __future__ import annotations

import json
from json.scanner import make_scanner
from typing import Any, Final, TypeAlias

from llmstream.errors import BadMessage
from llmstream.prompt import Json

# Adapters read deeply nested documents and treat a KeyError or TypeError as a bad message.  A precise
# union type would need an assertion at each level, for each token.
Document: TypeAlias = dict[str, Any]
"""A JSON object; a type checker does not check its values."""

_BLANK: Final = " \t\r\n"
_EXCERPT: Final = 60
_QUOTE: Final = 64 * 1024

LARGE: Final = 1 << 20
"""Texts with more characters than this are checked before parsing."""
MOST_VALUES: Final = 1_000_000
"""Limit on commas, colons and opening brackets in a large message; each costs about 100 bytes of memory."""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_strict = json.JSONDecoder(parse_constant=_refuse)
_decoder = json.JSONDecoder()
_scan = make_scanner(_decoder)  # type: ignore[arg-type]  # typeshed mistakes its context


def parse(text: str, *, lenient: bool = False) -> Json:
    """Return the value of one JSON text; surrounding white space is allowed.

    Args:
        text: the JSON text.
        lenient: also accept NaN and Infinity, which servers written in Python send.

    Raises:
        BadMessage: the text is not JSON, is nested too deeply, or has too many values or a number with
            thousands of digits.
    """
    # Anthropic pads its JSON with spaces.
    text = text.strip(_BLANK)
    if len(text) > LARGE:
        _check_size(text)
    value: Json
    try:
        value, end = (_decoder if lenient else _strict).raw_decode(text)
    except RecursionError:
        raise _bad(text, "nested too deep") from None
    except ValueError as error:
        # JSONDecodeError, a refused constant, or int()'s limit on digits
        raise _bad(text, str(error)) from None
    if end != len(text):
        raise _bad(text, f"more text after the value, at character {end}")
    return value


def parse_object(text: str) -> Document:
    """Return the object in one JSON text; surrounding white space is allowed.

    Raises:
        BadMessage: as for `parse`, or the value is not an object.
    """
    try:
        value, end = _scan(text, 0) if len(text) <= LARGE else (None, -1)
    except (RecursionError, ValueError, StopIteration):
        end = -1
    if end != len(text):
        value = parse(text, lenient=True)
    if not isinstance(value, dict):
        raise quoting(BadMessage("a message of the answer is not a JSON object", phase="stream"), text)
    return value


def excerpt(text: str) -> str:
    """Return the start of `text` in quotes, on one line, with control characters escaped."""
    return repr(text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…")


def quoting(error: BadMessage, text: str) -> BadMessage:
    """Return the error with server text to quote; keys in it are hidden before it is shortened."""
    error.quote = text[:_QUOTE]
    return error


def _bad(text: str, why: str) -> BadMessage:
    return quoting(BadMessage(f"a message of the answer is not JSON ({why})", phase="stream"), text)


def _check_size(text: str) -> None:
    """Refuse a text of very many small values, which would take up to fifty times its length in memory.

    Raises:
        BadMessage: the text has more than `MOST_VALUES`.
    """
    if sum(map(text.count, ",[{:")) > MOST_VALUES:
        raise BadMessage(f"a message of the answer has more than {MOST_VALUES:,} values", phase="stream")
