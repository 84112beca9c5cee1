"""Read the blocks of a document line by line while it arrives.

The first few characters of a line, which decide where it belongs (quotes, list items, a continued
paragraph, a new block), are held back until that is known.  The rest of the line goes to its block at
once.  The rules are CommonMark's (0.31), with GitHub's tables and task lists.
"""

from __future__ import annotations

import re
from typing import Final

from llmstream.render.markdown.code import Code
from llmstream.render.markdown.containers import Container, Item, Quote, bars, prefixes
from llmstream.render.markdown.ink import FAINT, Ink
from llmstream.render.markdown.leaves import Frame
from llmstream.render.markdown.starts import Starts
from llmstream.render.markdown.table import Table

PLAIN: Final = re.compile(r"[ \"#$%'()+,\-./0-9:;=>?@A-Za-z\]^{}]+")
"""Text without markup characters; nearly every token takes this fast path."""
RULE_CELLS: Final = 40


class Reader(Starts):
    """Turns Markdown into text for a terminal.

    Args:
        columns: width of the terminal.
        ink: creates the escape sequences.
    """

    def __init__(self, columns: int, ink: Ink) -> None:
        super().__init__()
        self._columns = columns
        self._ink = ink
        self._out: list[str] = []
        self._written = False
        self._barred = True
        self._left: list[Container] = []

    @property
    def at_start(self) -> bool:
        """Whether the terminal's cursor is at the start of a row."""
        return self._leaf is None or self._leaf.at_start

    def feed(self, text: str) -> str:
        """Add the next part of the document, already made safe; return the output for the terminal."""
        leaf = self._leaf
        if leaf and not self._heading_line and PLAIN.fullmatch(text):
            leaf.plain(text)
        else:
            self._lines(text)
        out = self._out
        if not out:
            return ""
        made = "".join(out) if len(out) > 1 else out[0]
        out.clear()
        return made

    def close(self, *, newline: bool = True) -> str:
        """End the document; return the remaining output.

        Args:
            newline: whether to end the last row with a newline.
        """
        if self._heading_line:
            self._line += "\n"
            self._classify()
        elif self._leaf:
            self._leaf.end_line()
        self._close_to(0)
        made = "".join(self._out)
        self._out.clear()
        return made if newline else made.removesuffix("\n")

    def end_row(self) -> str:
        """End the open row, because something else is written next; return the output."""
        if self._leaf:
            self._leaf.end_row()
        made = "".join(self._out)
        self._out.clear()
        return made

    def resize(self, columns: int) -> None:
        """Adapt to the terminal's new width in columns."""
        self._columns = columns
        if self._leaf:
            self._leaf.resize(columns)

    def _lines(self, text: str) -> None:
        """Add text of any number of lines."""
        while text:
            end = text.find("\n")
            if self._heading_line:
                self._line += text if end < 0 else text[: end + 1]
                self._classify()
            elif self._leaf:
                if end:
                    self._leaf.text(text if end < 0 else text[:end])
                if end >= 0:
                    self._end_line()
            if end < 0:
                return
            text = text[end + 1 :]

    def _content(self, text: str) -> None:
        """Pass the rest of the line to its block."""
        self._heading_line = False
        leaf = self._leaf
        assert leaf
        whole = text.endswith("\n")
        if whole and isinstance(leaf, Code):
            leaf.line(text[:-1])
            self._new_line()
            return
        if whole:
            text = text[:-1]
        if text:
            leaf.text(text)
        if whole:
            self._end_line()

    def _end_line(self) -> None:
        assert self._leaf
        self._leaf.end_line()
        self._ended_line()
        self._new_line()

    # ---- opening and closing

    def _frame(self, *, barred: bool = True) -> Frame:
        """Return the frame of the next block, and write a blank row before it if the source has one.

        Args:
            barred: whether the block shows the bars of the quotes around it.
        """
        if self._blank and self._written:
            shared = 0
            for one, other in zip(self._left, self._containers, strict=False):
                if one is not other:
                    break
                shared += 1
            bar = bars(self._containers[:shared], self._ink, self._columns) if barred and self._barred else ""
            self._out.append(bar + "\n")
        self._blank = False
        self._written = self._barred = True
        first, rest, marked = prefixes(self._containers, self._ink, self._columns)
        return Frame(self._out, self._ink, self._columns, first, rest, marked)

    def _close_leaf(self) -> None:
        if self._leaf:
            self._leaf.close()
            self._barred = not isinstance(self._leaf, Code | Table)
            # a blank row separates a table from the next block
            self._blank = self._blank or isinstance(self._leaf, Table)
            self._leaf = None
            self._left = list(self._containers)

    def _close_to(self, depth: int) -> None:
        """Close the open block and the containers from `depth` on."""
        self._close_leaf()
        if any(one.marker for one in self._containers[depth:]):
            # an empty item
            self._frame().mark()
            self._left = list(self._containers)
        del self._containers[depth:]

    def _draw_rule(self) -> None:
        frame = self._frame()
        count = max(3, min(RULE_CELLS, frame.limit - frame.first[1]))
        self._out.append(frame.first[0] + self._ink.text("\u2500" * count, FAINT) + "\n")
        self._left = list(self._containers)


__all__ = ["Container", "Item", "Quote", "Reader"]
