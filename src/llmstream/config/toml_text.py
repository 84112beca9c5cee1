"""Values as TOML text: what we write into files that people edit afterwards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
RISKY: Final = re.compile(r'["\\\x00-\x1f\x7f\ud800-\udfff]')
RISKY_IN_LINES: Final = re.compile(r'\\|"""|"\Z|[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]')
SHORT: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def toml_key(name: str) -> str:
    """Return a key, in quotes where it needs them."""
    return name if BARE.fullmatch(name) else _quoted(name)


def toml_value(value: object, *, lines: bool = True) -> str:
    """Return a value as TOML; a text of several lines is written as such unless `lines` is false.

    Args:
        value: text, a number, true or false, a list or a table of them.
        lines: whether the value stands in a place that may have several lines.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if lines and "\n" in value:
            # the newline right after the opening quotes is no part of the text
            return '"""\n' + RISKY_IN_LINES.sub(_escaped, value) + '"""'
        return _quoted(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{toml_key(k)} = {toml_value(v, lines=False)}" for k, v in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item, lines=False) for item in value) + "]"
    return repr(value)


def _quoted(text: str) -> str:
    return '"' + RISKY.sub(_escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    return "".join(SHORT.get(c) or (c if c == '"' else _code(c)) for c in match[0])


def _code(character: str) -> str:
    # TOML has no half pairs
    return "\ufffd" if "\ud800" <= character <= "\udfff" else f"\\u{ord(character):04X}"
