"""Lists as plain-text tables, no wider than the terminal.

Nothing is cut off, so that names can be copied: text too long for its cell is wrapped within it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Final

GAP: Final = 2
NARROWEST: Final = 8
"""Width, in terminal cells, to which a column can be reduced."""


def columns(rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Return rows as text in aligned columns.

    Args:
        rows: rows of the same length.
        width: width of the terminal in cells; None for no limit, as for a pipe.
    """
    if not rows:
        return ""
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    if width is not None:
        _shrink(widths, width)
    return "".join(line for row in rows for line in _lines(row, widths))


def cells(text: str) -> int:
    """Return the number of terminal cells that a text occupies."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(c) in ("Mn", "Me", "Cf") else 2 if east_asian_width(c) in "WF" else 1 for c in text
    )


def _shrink(widths: list[int], width: int) -> None:
    """Reduce the widest column by one cell, repeatedly, until a line fits or none can be reduced."""
    over = sum(widths) + GAP * (len(widths) - 1) - width
    while over > 0:
        at = max(range(len(widths)), key=lambda i: (widths[i], i))
        if widths[at] <= NARROWEST:
            return
        widths[at] -= 1
        over -= 1


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    folded = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*folded, fillvalue=""):
        line = (" " * GAP).join(
            part + " " * (width - cells(part)) for part, width in zip(parts, widths, strict=True)
        )
        yield line.rstrip() + "\n"


def wrapped(text: str, width: int) -> list[str]:
    """Return a text as lines of at most `width` cells, broken at spaces, else after / - , or in a word."""
    lines = []
    while cells(text) > width:
        end = _fitting(text, width)
        blank = text.rfind(" ", 1, end + 1)
        sign = max(text.rfind(c, 1, end) for c in "/-,") + 1
        cut = blank if blank > 0 else sign if sign >= width // 2 else end
        lines.append(text[:cut].rstrip())
        text = text[cut:].lstrip(" ")
    return [*lines, text]


def _fitting(text: str, width: int) -> int:
    """Return how many characters from the start fit into `width` cells, at least one."""
    taken = 0
    for at, character in enumerate(text):
        taken += cells(character)
        if taken > width:
            return max(1, at)
    return len(text)
