"""Quotes and list items: the prefixes of the rows within them."""

from __future__ import annotations

from typing import Final

from llmstream.render.markdown.ink import FAINT, Ink

BULLETS: Final = "\u2022\u25e6\u25aa"
QUOTE: Final = "\u2502"
DEEPEST: Final = 100
"""Maximum number of nested containers; the markers of deeper ones are text."""
Prefix = tuple[str, int]


class Quote:
    """A block quote."""

    marker = ""
    width = 2


class Item:
    """A list item.

    Args:
        indent: columns of its content's indentation in the source, relative to the item.
        marker: text shown before its first row.
        bullet: whether its list has bullets, not numbers.
    """

    def __init__(self, indent: int, marker: str, *, bullet: bool = False) -> None:
        self.indent = indent
        self.bullet = bullet
        self.marker = marker
        """Empty once it has been shown."""
        self.width = len(marker) + 1


Container = Quote | Item


def prefixes(containers: list[Container], ink: Ink, columns: int) -> tuple[Prefix, Prefix, bool]:
    """Return the prefixes of a block's first row and of its other rows, each with its width in cells.

    On a narrow screen or at deep nesting, the indentation is reduced to leave room for words.

    Args:
        containers: the block's containers, outermost first; their markers are cleared, as shown.
        ink: creates the escape sequences.
        columns: width of the terminal.

    Returns:
        Both prefixes, and whether the first contains a marker.
    """
    room = columns - 1
    most = max(0, room - max(8, room // 3))
    first, first_size = "", 0
    rest, rest_size = "", 0
    marked = False
    bar = ink.text(QUOTE, FAINT) + " "
    for container in containers:
        marker = container.marker
        quoted = isinstance(container, Quote)
        sign = bar if quoted else " " * container.width
        if rest_size + container.width <= most:
            rest += sign
            rest_size += container.width
        elif not quoted and rest_size < most:
            rest += " " * (most - rest_size)
            rest_size = most
        if marker:
            marked = True
            container.marker = ""
            first += marker + " "
            first_size += container.width
        elif first_size + container.width <= most:
            first += sign
            first_size += container.width
    return (first, first_size), (rest, rest_size), marked


def bars(containers: list[Container], ink: Ink, columns: int) -> str:
    """Return the quotes' bars for a blank row between two blocks."""
    last = max((at + 1 for at, one in enumerate(containers) if isinstance(one, Quote)), default=0)
    kept = [one if isinstance(one, Quote) else Item(0, " " * (one.width - 1)) for one in containers[:last]]
    for one in kept:
        if isinstance(one, Item):
            one.marker = ""
    return prefixes(list(kept), ink, columns)[1][0].rstrip(" ")
