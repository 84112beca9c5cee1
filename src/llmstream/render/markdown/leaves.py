"""The blocks that hold text: paragraphs and headings, and what all blocks have in common."""

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
"""Rows of a line that has a `|` but doesn't begin with one; a longer line heads no table."""
LONGEST_HEAD: Final = 16_000
"""Characters of a line that begins with `|`; a longer one heads no table."""
CLOSING: Final = re.compile(r"#+[ \t]*$")


class Frame:
    """Where a block stands.

    Args:
        out: where text for the terminal is put.
        ink: makes the sequences.
        columns: of the terminal.
        first: what stands before its first row (a list's marker), and the cells that takes.
        rest: what stands before the others.
        marked: `first` holds a list's marker.
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
        """Cells of a row; the last column stays free, for terminals differ about what follows it."""
        return max(1, self.columns - 1)

    def rows(self) -> Rows:
        """Return the rows of a text that stands here."""
        return Rows(self.out, self.ink, self.limit, self.first, self.rest)

    def mark(self) -> None:
        """Give a list's marker a row of its own."""
        if self.marked:
            self.out.append(self.first[0].rstrip(" ") + "\n")
            self.first, self.marked = self.rest, False


class Leaf(ABC):
    """A block that holds text, fed line by line in pieces."""

    lazy = False
    """Lines without the block's own containers may go on with it."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    @property
    def at_start(self) -> bool:
        """Whether the terminal's cursor stands at the beginning of a row."""
        return True

    @abstractmethod
    def text(self, text: str) -> None:
        """Take a part of the open line."""

    def plain(self, text: str) -> None:
        """Take a part of the open line that is ASCII and has no signs."""
        self.text(text)

    @abstractmethod
    def end_line(self) -> None:
        """The open line has ended."""

    def join(self) -> None:
        """Another line begins."""
        return

    def resize(self, columns: int) -> None:
        """Take the terminal's new size."""
        self.frame.columns = columns

    def end_row(self) -> None:
        """End the open row, since something else is written before the next."""
        return

    def close(self) -> None:
        """End the block and its last row."""
        return


class Flow(Leaf):
    """A leaf whose text flows into rows."""

    def __init__(self, frame: Frame, base: int = 0) -> None:
        super().__init__(frame)
        self.rows = frame.rows()
        self.inline = Inline(self.rows, base)

    @property
    def at_start(self) -> bool:
        """Whether the cursor stands at the beginning of a row."""
        return not self.rows.x

    def end_line(self) -> None:
        """Take the end of the open line."""
        self.inline.end_line()

    def resize(self, columns: int) -> None:
        """Take the terminal's new size."""
        super().resize(columns)
        self.rows.resize(columns, self.frame.limit)

    def end_row(self) -> None:
        """End the open row, since something else is written before the next."""
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
    """Text, of which each line could turn out to head a table, and the whole to be a heading.

    Args:
        frame: where it stands.
        tabled: its first line may head a table.
    """

    lazy = True

    def __init__(self, frame: Frame, *, tabled: bool = True) -> None:
        super().__init__(frame)
        self._line: list[str] = []
        self._counted = (0, 0)
        """How many parts of the line were counted, and their characters."""
        self._lines = 1
        self._held: Piece | None = None
        self._gave_up = not tabled
        self._mark: tuple[int, int] = (0, 0)

    @property
    def head(self) -> str | None:
        """The line that waits for the next to show whether it heads a table, or None."""
        return "".join(self._line) if self._held else None

    def text(self, text: str) -> None:
        """Take a part of the open line."""
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
        """Take a part of the open line that is ASCII and has no signs."""
        self._line.append(text)
        self.inline.plain(text)

    def _bar(self) -> bool:
        """Say whether the line has a bar outside of code, and may head a table."""
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
        """Show a line that heads no table.

        Args:
            ended: the line is whole.
        """
        if self._held:
            self._held.stop = False
            self._held = None
            self.rows.lay(ended=ended)

    def join(self) -> None:
        """Go on with another line."""
        self.release()
        self.inline.join()
        # a row that the source breaks ends now: the next line may head a table, on a row of its own
        self.rows.lay()
        self.rows.drawn.append(Piece(""))
        self.rows.drawn[-1].row = self.rows.number
        self._mark = (self.rows.number, len(self.rows.drawn) - 1)
        self._line = []
        self._counted = (0, 0)
        self._lines += 1
        self._gave_up = False

    def take_head(self) -> Frame:
        """Take the line that heads a table off the screen; return where the table stands."""
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
        """Make the paragraph a heading, if all of it stands on the open row."""
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
    """A heading that begins with `#`; closing ones aren't shown."""

    def __init__(self, frame: Frame, level: int) -> None:
        super().__init__(frame, HEADING | (TITLE if level == 1 else 0))
        self._tail = ""
        self._after_blank = True

    def text(self, text: str) -> None:
        """Take a part of the open line."""
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
        """Take a part of the open line that is ASCII and has no signs."""
        self.text(text)

    def close(self) -> None:
        """End the block and its last row."""
        self._tail = ""
        super().close()
