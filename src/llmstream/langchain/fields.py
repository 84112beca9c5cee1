"""Sampling parameters of a chat model that are not fields of its class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llmstream.nearest import typo_of
from llmstream.runnable.options import ELSEWHERE, TYPED

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def with_further(values: Mapping[str, object], fields: Mapping[str, FieldInfo]) -> dict[str, object]:
    """Return a chat model's keyword arguments with further sampling parameters moved to ``model_kwargs``.

    LangChain drops names that it doesn't know.  Misspelled ones are moved, too, so that a call reports them.

    Args:
        values: the arguments by name.
        fields: the class's fields by name.
    """
    known = fields.keys() | {field.alias for field in fields.values()}
    moved = {name: value for name, value in values.items() if name not in known and _is_ours(name)}
    rest = {name: value for name, value in values.items() if name not in moved}
    given = rest.get("model_kwargs")
    return rest | {"model_kwargs": moved | given if isinstance(given, dict) else moved} if moved else rest


def _is_ours(name: str) -> bool:
    return name in TYPED or name in ELSEWHERE or typo_of(name, TYPED) is not None
