"""Blocks of text: paragraphs and headings, and the base of all blocks."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Final

from llmstream.render.markdown.ink import HEADING, TITLE, Ink
from llmstream.render.markdown.inline import Inline
from llmstream.render.markdown.pieces import Piece
from llmstream.render.markdown.rows import Rows

CODE_SPANS: Final = re.compile(r"(`+)(?!`).*?(?:(?<!`)\1(?!`)|$)")
ROWS_HELD: Final = 4
"""Maximum number of rows of a table's header line that doesn't start with `|`; a longer line is text."""
LONGEST_HEAD: Final = 16_000
"""Maximum length of a table's header line that starts with `|`; a longer line is text."""
CLOSING: Final = re.compile(r"#+[ \t]*$")


class Frame:
    """The place of a block in the output.

    Args:
        out: list to which text for the terminal is appended.
        ink: creates the escape sequences.
        columns: width of the terminal.
        first: prefix of its first row (such as a list's marker), and its width in cells.
        rest: prefix of the other rows, and its width in cells.
        marked: whether `first` contains a list's marker.
    """

    __slots__ = ("columns", "first", "ink", "marked", "out", "rest")

    def __init__(
        self,
        out: list[str],
        ink: Ink,
        columns: int,
        first: tuple[str, int] = ("", 0),
        rest: tuple[str, int] = ("", 0),
        marked: bool = False,
    ) -> None:
        self.out = out
        self.ink = ink
        self.columns = columns
        self.first = first
        self.rest = rest
        self.marked = marked

    @property
    def limit(self) -> int:
        """Cells of a row; the last column stays free, because terminals differ in wrapping after it."""
        return max(1, self.columns - 1)

    def rows(self) -> Rows:
        """Return rows for a text in this place."""
        return Rows(self.out, self.ink, self.limit, self.first, self.rest)

    def mark(self) -> None:
        """Write a list's marker, if any, on a separate row."""
        if self.marked:
            self.out.append(self.first[0].rstrip(" ") + "\n")
            self.first, self.marked = self.rest, False


class Leaf(ABC):
    """A block of text, which arrives line by line in pieces."""

    lazy = False
    """Whether a line without the markers of the block's containers may continue it."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    @property
    def at_start(self) -> bool:
        """Whether the terminal's cursor is at the start of a row."""
        return True

    @abstractmethod
    def text(self, text: str) -> None:
        """Add a part of the open line."""

    def plain(self, text: str) -> None:
        """Add a part of the open line that is ASCII and has no markup characters."""
        self.text(text)

    @abstractmethod
    def end_line(self) -> None:
        """End the open line."""

    def join(self) -> None:
        """Continue with another line."""
        return

    def resize(self, columns: int) -> None:
        """Adapt to the terminal's new width in columns."""
        self.frame.columns = columns

    def end_row(self) -> None:
        """End the open row, because something else is written next."""
        return

    def close(self) -> None:
        """End the block and its last row."""
        return


class Flow(Leaf):
    """A leaf whose text is wrapped into rows."""

    def __init__(self, frame: Frame, base: int = 0) -> None:
        super().__init__(frame)
        self.rows = frame.rows()
        self.inline = Inline(self.rows, base)

    @property
    def at_start(self) -> bool:
        """Whether the cursor is at the start of a row."""
        return not self.rows.x

    def end_line(self) -> None:
        """End the open line."""
        self.inline.end_line()

    def resize(self, columns: int) -> None:
        """Adapt to the terminal's new width in columns."""
        super().resize(columns)
        self.rows.resize(columns, self.frame.limit)

    def end_row(self) -> None:
        """End the open row, because something else is written next."""
        if self.rows.x:
            self.rows.newline()

    def close(self) -> None:
        """End the block and its last row."""
        self.inline.end()
        if self.rows.x:
            self.rows.newline()
        elif not self.rows.widths:
            self.frame.mark()


class Paragraph(Flow):
    """A paragraph; it may turn out to be a heading, and each of its lines to be a table's header.

    Args:
        frame: its place in the output.
        tabled: whether its first line may be a table's header.
    """

    lazy = True

    def __init__(self, frame: Frame, *, tabled: bool = True) -> None:
        super().__init__(frame)
        self._line: list[str] = []
        self._counted = (0, 0)
        """Number of the line's parts counted so far, and their characters."""
        self._lines = 1
        self._held: Piece | None = None
        self._gave_up = not tabled
        self._mark: tuple[int, int] = (0, 0)

    @property
    def head(self) -> str | None:
        """The line held back until the next one shows whether it is a table's header, or None."""
        return "".join(self._line) if self._held else None

    def text(self, text: str) -> None:
        """Add a part of the open line."""
        self._line.append(text)
        if "|" in text and not self._held and not self._gave_up and self._bar():
            at = text.index("|")
            self.inline.feed(text[:at])
            self._held = Piece("")
            self._held.stop = True
            self.rows.waiting.append(self._held)
            text = text[at:]
        self.inline.feed(text)
        if self._held and self._too_long():
            self.release(ended=False)
            self._gave_up = True

    def plain(self, text: str) -> None:
        """Add a part of the open line that is ASCII and has no markup characters."""
        self._line.append(text)
        self.inline.plain(text)

    def _bar(self) -> bool:
        """Return whether the line has a bar outside of code and may be a table's header."""
        if self._too_long():
            self._gave_up = True
            return False
        line = "".join(self._line)
        return line.startswith("|") or "|" in CODE_SPANS.sub("", line)

    def _too_long(self) -> bool:
        limit = LONGEST_HEAD if self._line[0].startswith("|") else ROWS_HELD * self.frame.columns
        parts, size = self._counted
        size += sum(map(len, self._line[parts:]))
        self._counted = (len(self._line), size)
        return size > limit or self.rows.number != self._mark[0]

    def release(self, *, ended: bool = True) -> None:
        """Show a line that was held back and is not a table's header.

        Args:
            ended: whether the line is complete.
        """
        if self._held:
            self._held.stop = False
            self._held = None
            self.rows.lay(ended=ended)

    def join(self) -> None:
        """Continue with another line."""
        self.release()
        self.inline.join()
        # draw a break of the source now, so that the next line, maybe a table's header, has its own row
        self.rows.lay()
        self.rows.drawn.append(Piece(""))
        self.rows.drawn[-1].row = self.rows.number
        self._mark = (self.rows.number, len(self.rows.drawn) - 1)
        self._line = []
        self._counted = (0, 0)
        self._lines += 1
        self._gave_up = False

    def take_head(self) -> Frame:
        """Erase the table's header line from the screen; return the table's frame."""
        rows, frame = self.rows, self.frame
        waiting = rows.waiting
        assert self._held
        del waiting[:]
        del rows.drawn[self._mark[1] :]
        self._held = None
        if self._lines == 1:
            rows.erase()
            return frame
        rows.redraw()
        rows.lay(ended=True)
        if rows.x:
            rows.newline()
        return Frame(frame.out, frame.ink, frame.columns, frame.rest, frame.rest)

    def head_over(self, level: int) -> bool:
        """Turn the paragraph into a heading of `level` 1 or 2; return False if it can't all be redrawn."""
        rows = self.rows
        self.release()
        self.inline.end()
        if rows.widths or rows.fixed or rows.x > self.frame.columns:
            return False
        for piece in rows.drawn:
            piece.style |= HEADING | (TITLE if level == 1 else 0)
        rows.redraw()
        rows.lay(ended=True)
        return True

    def close(self) -> None:
        """End the block and its last row."""
        self.release()
        super().close()


class Heading(Flow):
    """A heading that starts with `#`; a closing run of `#` isn't shown."""

    def __init__(self, frame: Frame, level: int) -> None:
        super().__init__(frame, HEADING | (TITLE if level == 1 else 0))
        self._tail = ""
        self._after_blank = True

    def text(self, text: str) -> None:
        """Add a part of the open line."""
        text = self._tail + text
        found = CLOSING.search(text)
        at = found.start() if found else len(text)
        if not (text[at - 1] in " \t" if at else self._after_blank):
            at = len(text)
        self._tail = text[at:]
        if at:
            self._after_blank = text[at - 1] in " \t"
            self.inline.feed(text[:at])

    def plain(self, text: str) -> None:
        """Add a part of the open line that is ASCII and has no markup characters."""
        self.text(text)

    def close(self) -> None:
        """End the block and its last row."""
        self._tail = ""
        super().close()
