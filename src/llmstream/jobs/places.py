"""Templates with placeholders: ``Translate {text} into {lang}``.

Only ``{NAME}`` with a NAME of letters, digits, ``_`` and ``-`` is a placeholder. ``{{`` and ``}}``
stand for one brace each; all other braces are literal, so that JSON and code need no escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

TOKEN: Final = re.compile(r"\{\{|\}\}|\{([\w-]+)\}")


class Places:
    """A template, parsed once and filled many times.

    Args:
        text: the template.

    `names` are its placeholders, each once, in order.
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
        """Return the text with all placeholders filled; inserted text is not filled again.

        Args:
            fields: values by name; text is inserted unchanged, anything else as JSON.

        Raises:
            KeyError: a field is missing; its argument is the name.
        """
        return "".join([_shown(fields[part]) if place else part for place, part in self._parts])


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
