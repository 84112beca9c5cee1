"""Text with places to fill: ``Translate {text} into {lang}``.

Only ``{NAME}`` with a NAME of letters, digits, ``_`` and ``-`` is a place.  ``{{`` and ``}}`` stand
for one brace each; every other brace is itself, so that JSON and code need no escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

TOKEN: Final = re.compile(r"\{\{|\}\}|\{([\w-]+)\}")


class Places:
    """A text, taken apart once and filled many times.

    Args:
        text: with places.

    `names` are the places in it, each once, in their order.
    """

    __slots__ = ("_parts", "names")

    def __init__(self, text: str) -> None:
        self._parts: list[tuple[bool, str]] = []
        last = 0
        for found in TOKEN.finditer(text):
            self._add(text[last : found.start()])
            if found[1] is None:
                self._add(found[0][0])
            else:
                self._parts.append((True, found[1]))
            last = found.end()
        self._add(text[last:])
        self.names = tuple(dict.fromkeys(part for place, part in self._parts if place))

    def _add(self, literal: str) -> None:
        if literal:
            self._parts.append((False, literal))

    def fill(self, fields: Mapping[str, object]) -> str:
        """Return the text with each place filled; what is filled in is not filled again.

        Args:
            fields: by name.  Text goes in as it is, anything else as JSON.

        Raises:
            KeyError: a field is missing; its argument is the name.
        """
        return "".join([_shown(fields[part]) if place else part for place, part in self._parts])


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
