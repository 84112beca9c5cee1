"""Any Python value as JSON: JSON stays as it is, LangChain serialises what it can, the rest becomes text.

Values of a chain's steps can be anything at all, and none of them may end the run.

Source: langchain-core 1.8, `load.dumpd`: messages, documents and other classes as
``{"lc": 1, "type": "constructor", "id": [...], "kwargs": {...}}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from llmstream.prompt import Json

DEPTH: Final = 100
"""Levels that are kept; deeper values become text.  jq before 1.7 reads no more than 256."""
DIGITS: Final = 2**63
"""Larger integers become text: few JSON readers keep all their digits."""
TEXT_LIMIT: Final = 10_000
"""Characters of the text of a value that is not text itself."""


def as_json(value: object, depth: int = DEPTH, around: tuple[int, ...] = ()) -> Json:
    """Return a value as JSON.

    Args:
        value: any object.
        depth: levels of it that may be kept.
        around: the ids of the values that contain it, to detect a cycle.
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
    except Exception:  # noqa: BLE001  # whatever its own methods raise, it still has a text
        return text_of(value)
    return text_of(value)


def object_of(value: object) -> dict[str, Json]:
    """Return a mapping as a JSON object, an empty one for anything else."""
    found = as_json(dict(value)) if isinstance(value, Mapping) else {}
    return found if isinstance(found, dict) else {}


def text_of(value: object) -> str:
    """Return a value's text: what `str` makes of it, else `repr`, else its class's name."""
    for text in (str, repr):
        try:
            return _plain(text(value)) if isinstance(value, str) else _plain(text(value))[:TEXT_LIMIT]
        except Exception:  # noqa: BLE001, S112  # the next one may do
            continue
    return f"<{type(value).__name__}>"


def _plain(text: str) -> str:
    """Return a text without the class that a library may have given it."""
    return str.__str__(text)


def _is_langchains(kind: type) -> bool:
    return any(one.__module__.startswith("langchain_core.") for one in kind.__mro__)


def _dumped(value: object) -> object:
    # there, since the value's class is
    from langchain_core.load import dumpd

    return dumpd(value)
