"""Code blocks: each line as it is, from column 0, coloured when it has ended.

A line is shown as it comes.  When it has ended and its language is known, it is written once more,
in colours, over itself: only a line that fits on the screen, for a longer one the terminal has wrapped.
"""

from __future__ import annotations

from llmstream.render.markdown.highlight import Highlighter
from llmstream.render.markdown.leaves import Frame, Leaf
from llmstream.render.markdown.widths import SEQUENCE, cells

TAB: int = 8
"""Cells between tab stops; a tab becomes blanks, for terminals lose it at their margin."""


class Code(Leaf):
    """A code block.

    Args:
        frame: where it stands, of which only the list's marker is seen.
        highlighter: colours its lines, None if its language isn't known.
        fence: the signs that end it, empty for an indented block.
        indent: blanks that its source has before each line.
    """

    def __init__(
        self, frame: Frame, highlighter: Highlighter | None, fence: str = "", indent: int = 0
    ) -> None:
        super().__init__(frame)
        self._highlighter = highlighter
        self.fence = fence
        self.indent = indent
        self._line = ""
        self._x = 0
        self._shown = False
        self._narrowed = False
        self._blanks = 0
        frame.mark()

    @property
    def at_start(self) -> bool:
        """Whether the cursor stands at the beginning of a row."""
        return not self._shown

    def text(self, text: str) -> None:
        """Take a part of the open line."""
        if "\t" in text:
            text = self._without_tabs(text)
        self._line += text
        self._x += cells(text)
        self._show(text)

    def _without_tabs(self, text: str) -> str:
        head, *others = text.split("\t")
        x = self._x + cells(head)
        for part in others:
            blanks = TAB - x % TAB
            head += " " * blanks + part
            x += blanks + cells(part)
        return head

    def _show(self, text: str) -> None:
        # a whole line waits for its colours, which come at once
        if self._highlighter and not self._shown and len(self._line) < self.frame.limit and self._whole:
            return
        if self._highlighter and not self._shown and not self._narrowed:
            text = self._line
        if text:
            self.frame.out.append(text)
            self._shown = True

    _whole = False

    def line(self, text: str) -> None:
        """Take the whole rest of a line, and its end."""
        self._whole = True
        self.text(text)
        self.end_line()
        self._whole = False

    def end_line(self) -> None:
        """Take the end of the open line."""
        out, line = self.frame.out, self._line
        coloured = self._highlighter.line(line) if self._highlighter else ""
        if not coloured or coloured == line or self._narrowed:
            if line and not self._shown and not self._narrowed:
                out.append(line)
        elif not self._shown:
            out.append(coloured)
        elif self._x <= self.frame.limit and not SEQUENCE.search(line):
            out.append("\r" + coloured)
        out.append("\n")
        self._line = ""
        self._x = 0
        self._shown = self._narrowed = False

    def end_row(self) -> None:
        """End the open row, since something else is written before the next."""
        if self._shown:
            self.frame.out.append("\n")
            self._shown = False
            self._narrowed = True

    def blank(self) -> None:
        """A blank line within an indented block, which may have ended before it."""
        self._blanks += 1

    def join(self) -> None:
        """Go on with another line."""
        if self._blanks:
            self.frame.out.append("\n" * self._blanks)
            self._blanks = 0

    def resize(self, columns: int) -> None:
        """Take the terminal's new size."""
        super().resize(columns)
        self._narrowed = self._narrowed or self._x > columns
