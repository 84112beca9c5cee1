"""Lay out words in rows: the pieces drawn on the open row, and those that wait for the end of their word.

A newline finishes a row, which then never changes.  The open row can be redrawn from its start when
a delimiter turns out to be text, unless it is longer than the terminal is wide or contains an emoji
sequence, whose width differs between terminals.
"""

from __future__ import annotations

from typing import Final

from llmstream.render.markdown.ink import LINK, Ink
from llmstream.render.markdown.pieces import Break, Piece, ends_wide, has_wide, units_of
from llmstream.render.markdown.widths import SEQUENCE, cells, fitting

LONGEST_WORD: Final = 1000
"""An open word with this many characters more than a row has cells is drawn: some have no width."""
NO_PEN: Final = (0, "")


class Rows:
    """Lays out one block's pieces.

    Args:
        out: list to which text for the terminal is appended.
        ink: creates the escape sequences.
        limit: cells of a row, including its prefix.
        first: prefix of the first row, and its width in cells.
        rest: prefix of the other rows, and its width in cells.
        hard: whether words longer than a row are cut; otherwise the terminal wraps them.
    """

    def __init__(
        self,
        out: list[str],
        ink: Ink,
        limit: int,
        first: tuple[str, int] = ("", 0),
        rest: tuple[str, int] = ("", 0),
        *,
        hard: bool = False,
    ) -> None:
        self._out = out
        self._ink = ink
        self.limit = limit
        self._prefix = first
        self._rest = rest
        self._hard = hard
        self._pen = NO_PEN
        self.drawn: list[Piece] = []
        """The pieces on the open row."""
        self.waiting: list[Piece] = []
        """The pieces that aren't drawn yet."""
        self.number = 0
        """Number of the open row, from 0; `commit` increases it too."""
        self.x = 0
        """Used cells of the open row; 0 before its prefix is drawn."""
        self.fixed = False
        """The open row can't be redrawn."""
        self._glued = False
        self.widths: list[int] = []
        """Used cells of each finished row."""

    def add(self, text: str, style: int, link: str = "") -> None:
        """Append a text without drawing it yet."""
        waiting = self.waiting
        if waiting:
            last = waiting[-1]
            if type(last) is Piece and last.style == style and last.link == link and not last.stop:
                last.text += text
                return
        waiting.append(Piece(text, style, link))

    def add_sign(self, text: str, style: int) -> None:
        """Append text to a block's last word and draw it; it may use the row's free last cell."""
        self.add(text, style)
        self.limit += 1
        self.lay(ended=True)
        self.limit -= 1

    def run(self, text: str, style: int) -> None:
        """Append an ASCII text and draw its complete words; nearly every token takes this path."""
        waiting = self.waiting
        if len(waiting) == 1:
            piece = waiting[0]
            if piece.style == style and not piece.stop and not piece.link and type(piece) is Piece:
                word = piece.text + text
                end = word.rfind(" ")
                x = self.x
                if end > 0 and x and x + end <= self.limit and word[end - 1] != " " and self._easy(word):
                    if self._pen != (style, ""):
                        self._change((style, ""))
                    head = word[:end]
                    self._out.append(head)
                    self.x = x + end
                    last = self.drawn[-1] if self.drawn else piece
                    if last.style == style and type(last) is Piece and not last.link and last is not piece:
                        last.text += head
                    else:
                        self._keep(Piece(head, style))
                    piece.text = word[end:]
                    return
                piece.text = word
                if end >= 0 or len(word) > self.limit or self._glued:
                    self.lay()
                return
        self.add(text, style)
        self.lay()

    def _easy(self, word: str) -> bool:
        return not self._glued and word.isascii()

    def lay(self, *, ended: bool = False) -> None:
        """Draw the complete words.

        Args:
            ended: whether a line or block ends here, so that the last word is complete too.
        """
        waiting = self.waiting
        stop = next((at for at, piece in enumerate(waiting) if piece.stop), len(waiting))
        word: list[Piece] = []
        size = 0
        for at in range(stop):
            piece = waiting[at]
            text = piece.text
            if type(piece) is Break:
                self._word(word, size)
                word, size = [], 0
                self.newline()
            elif not text or (" " not in text and not has_wide(text)):
                word.append(piece)
                size += cells(text)
            else:
                word, size = self._split(piece, word, size)
        if word and ((ended and stop == len(waiting)) or self._due(word, size)):
            self._word(word, size, whole=ended or ends_wide(word))
            word = []
        self.waiting = word + waiting[stop:]

    def _due(self, word: list[Piece], size: int) -> bool:
        """Return whether to draw the incomplete last word, such as one too long for a row."""
        if size > self.limit - self._rest[1] or ends_wide(word):
            return True
        if sum([len(piece.text) for piece in word]) > self.limit + LONGEST_WORD:
            return True
        return self._glued and not next((piece.text for piece in word if piece.text), " ").startswith(" ")

    def _split(self, piece: Piece, word: list[Piece], size: int) -> tuple[list[Piece], int]:
        """Draw a piece's complete words; return the incomplete one with its width in cells."""
        style, link = piece.style, piece.link
        for unit in units_of(piece.text):
            if unit[0] == " " or ends_wide(word) or has_wide(unit):
                self._word(word, size)
                word, size = [], 0
            word.append(Piece(unit, style, link))
            size += cells(unit)
        return word, size

    def _word(self, word: list[Piece], size: int, *, whole: bool = True) -> None:
        """Draw one word, on a new row if the open one has no room for it."""
        if not word:
            return
        first = next((piece for piece in word if piece.text), None)
        if first is None:
            for piece in word:
                self._keep(piece)
            return
        if self._glued and first.text[0] != " ":
            self._long(word, size, whole)
            return
        self._glued = False
        if self.x + size > self.limit and self.x > self._prefix[1]:
            self.newline()
        if self.x <= self._prefix[1] and first.text[0] == " ":
            stripped = first.text.lstrip(" ")
            size -= len(first.text) - len(stripped)
            first.text = stripped
        if not size and any(piece.text for piece in word):
            # a row that has only zero-width characters must be ended, too
            size = 1
        if not self.x and size:
            self._begin()
        if self.x + size > self.limit:
            self._long(word, size, whole)
            return
        for piece in word:
            self._draw(piece)
        self.x += size
        self._glued = not whole

    def _long(self, word: list[Piece], size: int, whole: bool) -> None:
        """Draw a word that is too long for a row, or its next part."""
        if self._hard:
            self._cut(word)
            self._glued = not whole
            return
        for piece in word:
            self._draw(piece)
        self.x += size
        self.commit()
        self._glued = not whole

    def _cut(self, word: list[Piece]) -> None:
        for piece in word:
            text = piece.text
            while text:
                room = self.limit - self.x
                if room <= 0 or (cells(text[0]) > room and self.x > self._prefix[1]):
                    self.newline()
                    self._begin()
                    continue
                count = fitting(text, room)
                self._draw(Piece(text[:count], piece.style, piece.link))
                self.x += cells(text[:count])
                text = text[count:]
            piece.text = ""
            self._keep(piece)

    def _begin(self) -> None:
        prefix, size = self._prefix
        self._out.append(prefix)
        self.x = size

    def _draw(self, piece: Piece) -> None:
        text = piece.text
        if text:
            pen = (piece.style, piece.link if piece.style & LINK else "")
            if pen != self._pen:
                self._change(pen)
            self._out.append(text)
            if not text.isascii() and SEQUENCE.search(text):
                self.fixed = True
        self._keep(piece)

    def _keep(self, piece: Piece) -> None:
        piece.row = self.number
        self.drawn.append(piece)

    def _change(self, pen: tuple[int, str]) -> None:
        self._out.append(self._ink.change(self._pen, pen))
        self._pen = pen

    def commit(self) -> None:
        """Make the drawn part of the open row permanent."""
        self.drawn = []
        self.number += 1
        self.fixed = True

    def newline(self) -> None:
        """Finish the open row."""
        if self._pen != NO_PEN:
            self._change(NO_PEN)
        if not self.x:
            self._begin()
        self._out.append("\n")
        self.widths.append(self.x)
        self._prefix = self._rest
        self.commit()
        self.x = 0
        self.fixed = self._glued = False

    def redraw(self) -> None:
        """Redraw the open row from the current state of its pieces."""
        self.erase()
        self.waiting = self.drawn + self.waiting
        for piece in self.drawn:
            piece.row = -1
        self.drawn = []
        self.lay()

    def erase(self) -> None:
        """Erase the open row from the screen."""
        if self.x:
            if self._pen != NO_PEN:
                self._change(NO_PEN)
            self._out.append("\r\x1b[K")
            self.x = 0

    def standing(self, piece: Piece) -> bool:
        """Return whether a piece is drawn where it can no longer be changed."""
        return piece.row >= 0 and (piece.row != self.number or self.fixed)

    def resize(self, columns: int, limit: int) -> None:
        """Adapt to a new width and row limit; end an open row that no longer fits."""
        self.limit = limit
        if self.x > columns and not self._glued:
            self.newline()
