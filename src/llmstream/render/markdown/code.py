"""Code blocks: lines start at column 0 and are shown unchanged, except tabs, as they arrive.

When a line ends and its language is known, it is overwritten with itself in colours, unless it is wider
than the screen, so that the terminal has wrapped it, or has emoji sequences, whose width is uncertain.
"""

from __future__ import annotations

from llmstream.render.markdown.highlight import Highlighter
from llmstream.render.markdown.leaves import Frame, Leaf
from llmstream.render.markdown.widths import SEQUENCE, cells

TAB: int = 8
"""Cells between tab stops; tabs are shown as spaces, because terminals drop them at the right edge."""


class Code(Leaf):
    """A code block.

    Args:
        frame: its place in the output, of which only a list's marker is shown.
        highlighter: colours its lines; None to show them without colours.
        fence: the opening run of backticks or tildes, empty for an indented block.
        indent: columns before the opening fence, which are removed from each line too.
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
        """Whether the cursor is at the start of a row."""
        return not self._shown

    def text(self, text: str) -> None:
        """Add a part of the open line."""
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
        # don't show a complete line yet, because it is about to be coloured
        if self._highlighter and not self._shown and len(self._line) < self.frame.limit and self._whole:
            return
        if self._highlighter and not self._shown and not self._narrowed:
            text = self._line
        if text:
            self.frame.out.append(text)
            self._shown = True

    _whole = False

    def line(self, text: str) -> None:
        """Add the rest of a line and end it."""
        self._whole = True
        self.text(text)
        self.end_line()
        self._whole = False

    def end_line(self) -> None:
        """End the open line."""
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
        """End the open row, because something else is written next."""
        if self._shown:
            self.frame.out.append("\n")
            self._shown = False
            self._narrowed = True

    def blank(self) -> None:
        """Add a blank line to an indented block, shown only if the block continues."""
        self._blanks += 1

    def join(self) -> None:
        """Continue with another line."""
        if self._blanks:
            self.frame.out.append("\n" * self._blanks)
            self._blanks = 0

    def resize(self, columns: int) -> None:
        """Adapt to the terminal's new width in columns."""
        super().resize(columns)
        self._narrowed = self._narrowed or self._x > columns
