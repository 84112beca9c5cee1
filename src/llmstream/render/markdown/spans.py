"""Inline code: shown as code while it is open, but read again as text if it is never closed."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Final

from llmstream.render.markdown.brackets import WAIT, Bracketed
from llmstream.render.markdown.ink import CODE
from llmstream.render.markdown.pieces import Piece
from llmstream.render.markdown.rows import Rows

TICKS: Final = re.compile("`+")


class Span:
    """Inline code that is still open.

    Args:
        piece: the piece of the opening backticks.
        ticks: number of backticks.
    """

    def __init__(self, piece: Piece, ticks: int) -> None:
        self.piece = piece
        self.ticks = ticks
        self.source: list[str] = []
        """The source after the backticks, kept as long as it may have to be read again."""
        self.blank = False
        """It starts with a space, which isn't shown unless `tight`."""
        self.tight = False
        """No blank precedes it; its first space is shown, because it may turn out to be text."""
        self.solid = False
        """It has characters other than blanks."""


class Spanned(Bracketed, ABC):
    """The reader of inline code.

    Args:
        rows: receives the pieces.
        base: style of all text, as bits of ink.
    """

    def __init__(self, rows: Rows, base: int) -> None:
        super().__init__(rows, base)
        self._source = ""
        """Source whose meaning isn't known yet."""
        self._before = " "
        """The character before that source."""
        self._span: Span | None = None
        self._unclosed: set[int] = set()
        """Lengths of backtick runs that are never closed in this block."""

    @abstractmethod
    def feed(self, text: str) -> None:
        """Add text without newlines."""

    @abstractmethod
    def end_line(self) -> None:
        """End the open line; whether the block continues isn't known yet."""

    @abstractmethod
    def join(self) -> None:
        """Continue with the next line."""

    def _ticks(self, source: str, at: int) -> int:
        match = TICKS.match(source, at)
        assert match
        end = match.end()
        if end == len(source) and not self._ended:
            return WAIT
        if end - at in self._unclosed:
            return self._literal(source, at, end - at)
        piece = Piece("", self._emphasis.style)
        self._rows.waiting.append(piece)
        self._span = Span(piece, end - at)
        self._span.tight = not (source[at - 1] if at else self._before).isspace()
        return end

    def _code(self, source: str, at: int) -> int:
        """Read code up to its closing backticks."""
        span = self._span
        assert span
        start = at
        if not span.source and source[at] == " ":
            span.blank = True
            at += not span.tight
        style = self._emphasis.style | CODE
        for found in TICKS.finditer(source, at):
            if found.end() == len(source) and not self._ended:
                self._inside(span, source[start : found.start()], source[at : found.start()], style)
                return found.start() if found.start() > start else WAIT
            if len(found[0]) == span.ticks:
                self._inside(span, source[start : found.start()], source[at : found.start()], style)
                self._end_code(span)
                return found.end()
        self._inside(span, source[start:], source[at:], style)
        return len(source)

    def _inside(self, span: Span, source: str, text: str, style: int) -> None:
        # a span on a finished row is never read again
        if not span.source or not self._rows.standing(span.piece):
            span.source.append(source)
        if text:
            span.solid = span.solid or not text.isspace()
            self._rows.add(text, style)

    def _end_code(self, span: Span) -> None:
        self._span = None
        waiting = self._rows.waiting
        if span.blank and not span.solid and not span.tight:
            self._rows.add(" ", self._emphasis.style | CODE)
        elif span.blank and span.solid and waiting and waiting[-1].style & CODE:
            waiting[-1].text = waiting[-1].text.removesuffix(" ")

    def _reread(self, span: Span) -> None:
        """Read the source of unclosed code as text."""
        rows = self._rows
        source = "".join(span.source) + self._source
        self._source = ""
        self._unclosed.add(span.ticks)
        piece = span.piece
        drawn = piece.row >= 0
        pieces = rows.drawn + rows.waiting
        kept = pieces[: pieces.index(piece) + 1]
        piece.text = "`" * span.ticks
        rows.drawn = [one for one in kept if one.row >= 0]
        rows.waiting = [one for one in kept if one.row < 0]
        if drawn:
            rows.redraw()
        self._before = "`"
        for number, line in enumerate(source.split("\n")):
            if number:
                self.end_line()
                self.join()
            self.feed(line)
            self._ended = True
            self.feed("")
