"""The pieces of a text, and where a row may break between them."""

from __future__ import annotations

import functools
import re
from typing import Final

from llmstream.render.markdown.widths import WIDE

UNITS: Final = re.compile(" *[^ ]+| +")
"""A word with the blanks before it, of text that has no wide characters."""


@functools.cache
def wide_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds a wide character, and UNITS for text that has some; compiled when first needed."""
    marks = "\u0300-\u036f\u3099\u309a\ufe00-\ufe0f"
    return re.compile(f"[{WIDE}]"), re.compile(f" *[{WIDE}][{marks}]*| *[^ {WIDE}]+| +")


def has_wide(text: str) -> bool:
    """Say whether a row may break within a text because it holds East Asian characters."""
    return not text.isascii() and wide_patterns()[0].search(text) is not None


class Piece:
    """A run of text of one style, or a sign.

    Args:
        text: what is seen of it, a sign's mostly nothing.
        style: bits of ink.
        link: the address it leads to, or nothing.
    """

    __slots__ = ("link", "row", "stop", "style", "text")

    def __init__(self, text: str, style: int = 0, link: str = "") -> None:
        self.text = text
        self.style = style
        self.link = link
        self.stop = False
        """Nothing from this piece on is drawn yet."""
        self.row = -1
        """The number of the row it is drawn on, -1 while it waits."""


class Break(Piece):
    """The end of a row that the source asks for."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("\n")


def ends_wide(word: list[Piece]) -> bool:
    """Say whether a row may break behind the word because it ends with a wide character."""
    return bool(word) and has_wide(word[-1].text)


def units_of(text: str) -> list[str]:
    """Return a text in parts between which a row may break, each with the blanks before it."""
    found: list[str] = (wide_patterns()[1] if has_wide(text) else UNITS).findall(text)
    return found
