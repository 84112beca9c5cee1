"""Links: a bracket is held back, for at most one row, until it is known whether it opens a link."""

from __future__ import annotations

from typing import Final

from llmstream.render.markdown.emphasis import Emphasis, Sign
from llmstream.render.markdown.ink import FAINT, LINK
from llmstream.render.markdown.links import LONGEST, Target, linked, says, target
from llmstream.render.markdown.pieces import Piece
from llmstream.render.markdown.rows import Rows
from llmstream.render.markdown.widths import cells

WAIT: Final = -1
"""More text is needed to decide."""


class Bracket:
    """A `[` that may open a link.

    Args:
        piece: the piece that shows it.
        at: its position in the block's source.
        image: whether it is `![`.
    """

    def __init__(self, piece: Piece, at: int, image: bool) -> None:
        self.piece = piece
        self.at = at
        self.image = image
        self.useless = False
        """It contains a link; links can't be nested."""


class Bracketed:
    """The state shared by the readers of inline markup, and the reader of links.

    Args:
        rows: receives the pieces.
        base: style of all text, as bits of ink.
    """

    def __init__(self, rows: Rows, base: int) -> None:
        self._rows = rows
        self._emphasis = Emphasis(rows, base)
        self._at = 0
        """Characters of the block's source read so far."""
        self._ended = False
        """The open line has ended."""
        self._whole = False
        """The whole text is added at once, so a bracket can wait for its link however long the text is."""
        self._brackets: list[Bracket] = []
        self._delayed: set[Sign] = set()
        """Delimiters after a bracket: their match depends on whether the bracket opens a link."""

    def _literal(self, source: str, at: int, count: int = 1) -> int:
        self._rows.add(source[at : at + count], self._emphasis.style)
        return at + count

    def _bang(self, source: str, at: int) -> int:
        if at + 1 == len(source) and not self._ended:
            return WAIT
        if source[at + 1 : at + 2] != "[":
            return self._literal(source, at)
        return self._open(at, "![")

    def _bracket(self, source: str, at: int) -> int:
        return self._open(at, "[")

    def _open(self, at: int, text: str) -> int:
        piece = Piece(text, self._emphasis.style)
        piece.stop = True
        self._rows.waiting.append(piece)
        self._brackets.append(Bracket(piece, self._at, len(text) > 1))
        return at + len(text)

    def _closing(self, source: str, at: int) -> int:
        if not self._brackets:
            return self._literal(source, at)
        if at + 1 == len(source) and not self._ended:
            return WAIT
        bracket = self._brackets[-1]
        found = None
        if source[at + 1 : at + 2] == "(" and not bracket.useless and self._fits(bracket):
            found = target(source, at + 1)
            if found is True and not self._ended:
                return WAIT
        if not isinstance(found, Target):
            self._fail(bracket)
            return self._literal(source, at)
        self._link(bracket, found.address)
        return found.end

    def _link(self, bracket: Bracket, address: str) -> None:
        waiting = self._rows.waiting
        start = waiting.index(bracket.piece)
        inner = waiting[start + 1 :]
        signs = [piece for piece in inner if isinstance(piece, Sign) and piece in self._delayed]
        self._delayed.difference_update(signs)
        depth = self._emphasis.depth
        for sign in signs:
            self._emphasis.put(sign, depth)
        self._emphasis.give_up(depth)
        self._emphasis.restyle()
        link = linked(address)
        shown = "".join(piece.text for piece in inner)
        for piece in inner:
            if link and not piece.link:
                piece.link = link
                piece.style |= LINK
        style = self._emphasis.style | FAINT
        bracket.piece.text = "\U0001f5bc " if bracket.image else ""
        bracket.piece.stop = False
        self._brackets.remove(bracket)
        for outer in self._brackets:
            outer.useless = outer.useless or not (outer.image or bracket.image)
        if address and (bracket.image or not says(shown, address)):
            self._rows.add(f" ({address})", style)
        if not self._brackets:
            self._settle()

    def _fail(self, bracket: Bracket) -> None:
        """Show a bracket as text."""
        bracket.piece.stop = False
        self._brackets.remove(bracket)
        self._settle()

    def _settle(self) -> None:
        """Match the delimiters that no longer wait for a bracket."""
        waiting = self._rows.waiting
        first = waiting.index(self._brackets[0].piece) if self._brackets else len(waiting)
        delayed = self._delayed
        ready = [piece for piece in waiting[:first] if isinstance(piece, Sign) and piece in delayed]
        for sign in ready:
            self._emphasis.put(sign)
        if ready:
            delayed.difference_update(ready)
            if self._emphasis.restyle():
                self._rows.redraw()

    def _expire(self) -> None:
        """Give up brackets that were held back for a whole row."""
        while self._brackets and not self._fits(self._brackets[0]):
            self._fail(self._brackets[0])

    def _fits(self, bracket: Bracket) -> bool:
        """Return whether the text after a bracket is no longer than a row."""
        limit = self._rows.limit
        if self._whole or self._at - bracket.at <= limit:
            return True
        waiting = self._rows.waiting
        inner = waiting[waiting.index(bracket.piece) + 1 :]
        shown = sum(cells(piece.text) for piece in inner if not piece.style & FAINT)
        return shown <= limit and self._at - bracket.at <= LONGEST
