"""The pieces of a text, and where a row may break between them."""

from __future__ import annotations

import functools
import re
from typing import Final

from llmstream.render.markdown.widths import WIDE

UNITS: Final = re.compile(" *[^ ]+| +")
"""A word with the spaces before it, in text without wide characters."""


@functools.cache
def wide_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return a pattern for a wide character, and UNITS for text that contains some."""
    marks = "\u0300-\u036f\u3099\u309a\ufe00-\ufe0f"
    return re.compile(f"[{WIDE}]"), re.compile(f" *[{WIDE}][{marks}]*| *[^ {WIDE}]+| +")


def has_wide(text: str) -> bool:
    """Return whether a text contains wide East Asian characters, between which a row may break."""
    return not text.isascii() and wide_patterns()[0].search(text) is not None


class Piece:
    """A run of text in one style, or a delimiter.

    Args:
        text: visible text, usually empty for a delimiter.
        style: bits of ink.
        link: URL of the link, or empty.
    """

    __slots__ = ("link", "row", "stop", "style", "text")

    def __init__(self, text: str, style: int = 0, link: str = "") -> None:
        self.text = text
        self.style = style
        self.link = link
        self.stop = False
        """Nothing may be drawn from this piece on."""
        self.row = -1
        """The number of the row it is drawn on, -1 if it isn't drawn yet."""


class Break(Piece):
    """A forced break of the row."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("\n")


def ends_wide(word: list[Piece]) -> bool:
    """Return whether a word's last piece has wide characters, so that a row may break after it."""
    return bool(word) and has_wide(word[-1].text)


def units_of(text: str) -> list[str]:
    """Split a text into units between which a row may break, each with the spaces before it."""
    found: list[str] = (wide_patterns()[1] if has_wide(text) else UNITS).findall(text)
    return found
