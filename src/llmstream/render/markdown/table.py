"""Tables, row by row, without waiting for the rest of the table.

All columns therefore have the same width, and longer cells are wrapped within them.  If a column would
be too narrow for words, the cells of a row are written one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from llmstream.render.markdown.ink import BOLD, FAINT, Ink
from llmstream.render.markdown.inline import Inline
from llmstream.render.markdown.leaves import Frame, Leaf
from llmstream.render.markdown.pieces import Break, Piece
from llmstream.render.markdown.rows import Rows

RULER: Final = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
RULER_BEGUN: Final = re.compile(r"[-|: \t]*")
WIDEST: Final = 120
"""Maximum width of a table in terminal cells; longer rows are hard to read."""
NARROWEST: Final = 5
"""Minimum width, in terminal cells, of a column in which words are wrapped."""
BAR: Final = "\u2502"


def split_row(line: str) -> list[str]:
    """Return the cells of a row's source, without blanks around them; `\\|` is a bar within a cell."""
    line = line.strip()
    parts: list[str] = [""]
    for piece in re.split(r"(\\\||\|)", line):
        if piece == "|":
            parts.append("")
        else:
            parts[-1] += "|" if piece == "\\|" else piece
    if line.startswith("|"):
        del parts[0]
    if len(parts) > 1 and not parts[-1].strip() and line.endswith("|"):
        parts.pop()
    return [part.strip() for part in parts]


def alignments(ruler: str) -> list[str]:
    """Return the alignment of each column, "<", "^" or ">", from the line below the header."""
    found = []
    for part in split_row(ruler):
        centred = part.startswith(":") and part.endswith(":")
        found.append("^" if centred else ">" if part.endswith(":") else "<")
    return found


def is_table(head: str, ruler: str) -> bool:
    """Return whether these two lines start a table."""
    if not RULER.fullmatch(ruler) or "|" not in head:
        return False
    return len(split_row(head)) == len(split_row(ruler))


def laid(text: str, width: int, ink: Ink, style: int = 0) -> list[tuple[str, int]]:
    """Lay out a table cell; return its rows, each with its width in terminal cells.

    Args:
        text: the cell's source.
        width: width of its column, in terminal cells.
        ink: creates the escape sequences.
        style: style of all its text, as bits of ink.
    """
    out: list[str] = []
    rows = Rows(out, ink, width, hard=True)
    rows.waiting = read(text, ink, style, cell=True)
    rows.lay(ended=True)
    if rows.x or not rows.widths:
        rows.newline()
    return list(zip("".join(out).split("\n"), rows.widths, strict=False))


class Endless(Rows):
    """Keeps the pieces of a complete text instead of drawing them."""

    def __init__(self, ink: Ink) -> None:
        super().__init__([], ink, 1 << 30)

    def newline(self) -> None:
        """Keep the break as a piece."""
        self.drawn.append(Break())

    def _draw(self, piece: Piece) -> None:
        self._keep(piece)


def read(text: str, ink: Ink, style: int, *, cell: bool = False) -> list[Piece]:
    """Return the pieces of a table cell.

    Args:
        text: the cell's source.
        ink: creates the escape sequences.
        style: style of all its text, as bits of ink.
        cell: whether it is shown in a column, where `<br>` breaks its row.
    """
    rows = Endless(ink)
    inline = Inline(rows, style, cell=cell)
    inline.feed(text)
    inline.end()
    return [piece for piece in rows.drawn if piece.text]


class Table(Leaf):
    """A table.

    Args:
        frame: its place in the output.
        head: its first line.
        ruler: the line below it, which sets the alignment of the columns.
    """

    def __init__(self, frame: Frame, head: str, ruler: str) -> None:
        super().__init__(frame)
        frame.mark()
        self._columns = alignments(ruler)
        self._line: list[str] = []
        self._row(split_row(head), BOLD)
        self._rule()

    def _share(self) -> int:
        count = len(self._columns)
        room = min(self.frame.columns, WIDEST) - self.frame.rest[1]
        return (room - 3 * count - 1) // count

    def text(self, text: str) -> None:
        """Add a part of the open line."""
        self._line.append(text)

    def end_line(self) -> None:
        """End the open line."""
        line, self._line = "".join(self._line), []
        if line:
            row = split_row(line)[: len(self._columns)]
            self._row(row + [""] * (len(self._columns) - len(row)))

    def close(self) -> None:
        """End the block and its last row."""
        self.end_line()

    def _row(self, row: Sequence[str], style: int = 0) -> None:
        if not any(row) and len(row) == 1:
            return
        share, ink = self._share(), self.frame.ink
        if share > 0:
            parts = [laid(cell, share, ink, style) for cell in row]
            if share >= NARROWEST or all(len(part) == 1 for part in parts):
                self._columned(parts, share)
                return
        rows = self.frame.rows()
        for number, cell in enumerate(row):
            if number:
                rows.add(f" {BAR} ", 0)
            for piece in read(cell, ink, style):
                rows.add(piece.text, piece.style, piece.link)
        rows.lay(ended=True)
        rows.newline()

    def _columned(self, parts: list[list[tuple[str, int]]], share: int) -> None:
        out, bar = self.frame.out, self.frame.ink.text(BAR, FAINT)
        for number in range(max(map(len, parts))):
            line = self.frame.rest[0]
            for column, part in enumerate(parts):
                text, size = part[number] if number < len(part) else ("", 0)
                before, after = self._padding(column, share - size)
                last = column == len(parts) - 1
                line += f"{' ' * before if text else ''}{text}"
                line += "" if last else " " * (after if text else share) + f" {bar} "
            out.append(line.rstrip(" ") + "\n")

    def _padding(self, column: int, blanks: int) -> tuple[int, int]:
        align = self._columns[column]
        before = blanks if align == ">" else blanks // 2 if align == "^" else 0
        return before, blanks - before

    def _rule(self) -> None:
        share = self._share()
        if share <= 0:
            return
        line = "\u253c".join(["\u2500" * (share + 2)] * len(self._columns))[1:-1]
        self.frame.out.append(self.frame.rest[0] + self.frame.ink.text(line, FAINT) + "\n")
