"""Convert any Python value to JSON; LangChain's classes are serialised, other objects become text.

The values in a chain's steps can be of any type, and none of them may break off the run.

Source: langchain-core 1.8, `load.dumpd`: messages, documents and other classes as
``{"lc": 1, "type": "constructor", "id": [...], "kwargs": {...}}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from llmstream.prompt import Json

DEPTH: Final = 100
"""Most levels of nesting; deeper values become text.  jq before 1.7 reads at most 256."""
DIGITS: Final = 2**63
"""Integers outside of -DIGITS..DIGITS-1 become text, because few JSON readers keep all digits."""
TEXT_LIMIT: Final = 10_000
"""Most characters kept of the text that replaces a value."""


def as_json(value: object, depth: int = DEPTH, around: tuple[int, ...] = ()) -> Json:
    """Return a value as JSON.

    Args:
        value: any object.
        depth: levels of nesting that may be kept.
        around: the ids of the values that contain it, to detect a cycle, which becomes ``...``.
    """
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int and isinstance(value, int):
        return value if -DIGITS <= value < DIGITS else text_of(value)
    if kind is float and isinstance(value, float):
        return value if math.isfinite(value) else text_of(value)
    if id(value) in around or depth == 0:
        return "..." if id(value) in around else text_of(value)
    within = (*around, id(value))
    try:
        if isinstance(value, dict):
            return {text_of(key): as_json(one, depth - 1, within) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [as_json(one, depth - 1, within) for one in value]
        if isinstance(value, str):
            return text_of(value)
        if _is_langchains(kind):
            return as_json(_dumped(value), depth - 1, within)
    except Exception:  # noqa: BLE001  # its methods may raise anything
        return text_of(value)
    return text_of(value)


def object_of(value: object) -> dict[str, Json]:
    """Return a mapping as a JSON object, an empty one for anything else."""
    found = as_json(dict(value)) if isinstance(value, Mapping) else {}
    return found if isinstance(found, dict) else {}


def text_of(value: object) -> str:
    """Return a value's text by `str`, or `repr` if that fails, or else the name of its class."""
    for text in (str, repr):
        try:
            return _plain(text(value)) if isinstance(value, str) else _plain(text(value))[:TEXT_LIMIT]
        except Exception:  # noqa: BLE001, S112  # the next one may work
            continue
    return f"<{type(value).__name__}>"


def _plain(text: str) -> str:
    """Return a plain `str` for a text of a subclass of `str`."""
    return str.__str__(text)


def _is_langchains(kind: type) -> bool:
    return any(one.__module__.startswith("langchain_core.") for one in kind.__mro__)


def _dumped(value: object) -> object:
    # installed, because the value's class comes from it
    from langchain_core.load import dumpd

    return dumpd(value)
