"""Parses the JSON text of a wire message, once for each token.

`json.loads` spends 0.9 µs of its 1.8 on looking for white space with regular expressions; the
scanner under it doesn't, and is tried first (measured on a completions chunk of 180 characters).
NaN and Infinity are not JSON (RFC 8259, section 6), but Python's servers write them, in log probabilities
that nobody requested: a message may contain them, but only finite numbers are used.
"""

from __future__ import annotations

import json
from json.scanner import make_scanner
from typing import Any, Final, TypeAlias

from llmstream.errors import BadMessage
from llmstream.prompt import Json

# Dialects look deep into documents whose shape the provider decides, and take the KeyError or
# TypeError of a wrong one for a bad message: an honest union would ask for an assertion at each
# level, for each token.
Document: TypeAlias = dict[str, Any]
"""A JSON object whose values are not known to a type checker."""

_BLANK: Final = " \t\r\n"
_EXCERPT: Final = 60
_QUOTE: Final = 64 * 1024

LARGE: Final = 1 << 20
"""Characters from which a text is checked before it is parsed."""
MOST_VALUES: Final = 1_000_000
"""Commas, colons and brackets of one message, each of which stands for about 100 bytes of memory."""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_strict = json.JSONDecoder(parse_constant=_refuse)
_decoder = json.JSONDecoder()
_scan = make_scanner(_decoder)  # type: ignore[arg-type]  # typeshed mistakes its context


def parse(text: str, *, lenient: bool = False) -> Json:
    """Return the value of one JSON text; surrounding white space is allowed.

    Args:
        text: the JSON text.
        lenient: accept NaN and Infinity too, as Python's servers write them.

    Raises:
        BadMessage: the text is not JSON, nested too deep, or has a number with thousands of digits.
    """
    # Anthropic pads its JSON with blanks.
    text = text.strip(_BLANK)
    if len(text) > LARGE:
        _check_size(text)
    value: Json
    try:
        value, end = (_decoder if lenient else _strict).raw_decode(text)
    except RecursionError:
        raise _bad(text, "nested too deep") from None
    except ValueError as error:
        # JSONDecodeError, a constant that is refused, or int()'s limit on digits
        raise _bad(text, str(error)) from None
    if end != len(text):
        raise _bad(text, f"more text behind the value, at character {end}")
    return value


def parse_object(text: str) -> Document:
    """Return the object in one JSON text; surrounding white space is allowed.

    Raises:
        BadMessage: as `parse`, or the value is not an object.
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
    """Return the beginning of `text` in quotes, on one line, control characters escaped."""
    return repr(text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…")


def quoting(error: BadMessage, text: str) -> BadMessage:
    """Return the error with text of the server's to quote; a key in it is hidden before it is shortened."""
    error.quote = text[:_QUOTE]
    return error


def _bad(text: str, why: str) -> BadMessage:
    return quoting(BadMessage(f"a message of the answer is not JSON ({why})", phase="stream"), text)


def _check_size(text: str) -> None:
    """Refuse a large text of very many small values, which would take fifty times its length in memory.

    Raises:
        BadMessage: it has more than `MOST_VALUES`.
    """
    if sum(map(text.count, ",[{:")) > MOST_VALUES:
        raise BadMessage(f"a message of the answer has more than {MOST_VALUES:,} values", phase="stream")
