"""Format values as TOML, for showing the configuration and writing files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
LONE: Final = re.compile("[\ud800-\udfff]")
# JSON leaves DEL and C1 unescaped; TOML forbids DEL, and terminals act on C1
UNSEEN: Final = re.compile("[\x7f-\x9f]")
RISKY_IN_LINES: Final = re.compile(r'\\|"""|"\Z|[\x00-\x08\x0b-\x1f]')


def toml_key(name: str) -> str:
    """Return a TOML key, quoted if needed."""
    return name if BARE.fullmatch(name) else toml_value(name)


def toml_value(value: object) -> str:
    """Return a value as TOML on one line."""
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in value.items()) + " }"
            if value
            else "{}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, float):
        # JSON's Infinity is TOML's inf
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return _plain(json.dumps(value, ensure_ascii=False, default=str))


def toml_lines(value: object) -> str:
    """Return a value as TOML, text with line breaks as a multi-line string."""
    if not isinstance(value, str) or "\n" not in value:
        return toml_value(value)
    # TOML drops the newline right after the opening quotes
    return '"""\n' + _plain(RISKY_IN_LINES.sub(_escaped, value)) + '"""'


def _plain(text: str) -> str:
    # TOML does not allow lone surrogates
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", LONE.sub("\ufffd", text))


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\{c}" if c in '\\"' else f"\\u{ord(c):04x}" for c in found[0])
