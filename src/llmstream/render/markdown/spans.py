"""Code within a text: shown as code while it is open, and read again as text if it never ends."""

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
    """Code that hasn't ended.

    Args:
        piece: what opened it.
        ticks: how many.
    """

    def __init__(self, piece: Piece, ticks: int) -> None:
        self.piece = piece
        self.ticks = ticks
        self.source: list[str] = []
        """What came since, as long as it may have to be read again."""
        self.blank = False
        """It begins with a blank, which isn't shown."""
        self.tight = False
        """No blank stands before it, so that its own is shown: it may never end."""
        self.solid = False
        """It holds more than blanks."""


class Spanned(Bracketed, ABC):
    """The reading of code.

    Args:
        rows: takes the pieces.
        base: the style of all text.
    """

    def __init__(self, rows: Rows, base: int) -> None:
        super().__init__(rows, base)
        self._source = ""
        """What isn't decided yet."""
        self._before = " "
        """The character before it."""
        self._span: Span | None = None
        self._unclosed: set[int] = set()
        """Numbers of backticks that end nowhere in this block."""

    @abstractmethod
    def feed(self, text: str) -> None:
        """Take text without newlines."""

    @abstractmethod
    def end_line(self) -> None:
        """Take the end of a line; whether the block goes on isn't known yet."""

    @abstractmethod
    def join(self) -> None:
        """Go on with the next line."""

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
        """Take code up to what ends it."""
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
        # the source of a span whose row is finished is never read again
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
        """Read the source of code that never ended as text."""
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
