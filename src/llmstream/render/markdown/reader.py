"""The blocks of a document, read line by line as it comes.

What a line belongs to (quotes, list items, a paragraph that goes on, a new block) is known from its
beginning, which is held back until then: a few characters.  The rest of the line goes to its block
at once.  The rules are CommonMark's 0.31, with GitHub's tables and task lists.
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
"""Text without anything that could be a sign: the fast way of nearly every token."""
RULE_CELLS: Final = 40


class Reader(Starts):
    """Turns Markdown into text for a terminal.

    Args:
        columns: of the terminal.
        ink: makes the sequences.
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
        """Whether the terminal's cursor stands at the beginning of a row."""
        return self._leaf is None or self._leaf.at_start

    def feed(self, text: str) -> str:
        """Take the next part of the document, guarded; return what the terminal gets."""
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
        """End the document; return the rest.

        Args:
            newline: end the last row, too.
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
        """End the open row, for something else is written before the next; return the rest of it."""
        if self._leaf:
            self._leaf.end_row()
        made = "".join(self._out)
        self._out.clear()
        return made

    def resize(self, columns: int) -> None:
        """Take the terminal's new width."""
        self._columns = columns
        if self._leaf:
            self._leaf.resize(columns)

    def _lines(self, text: str) -> None:
        """Take text of any number of lines."""
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
        """Give the rest of the line to its block."""
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
        """Return where the next block stands, below a blank row if its source stands so.

        Args:
            barred: the block has bars where it stands in a quote.
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
            # what follows a table directly stands apart from its cells
            self._blank = self._blank or isinstance(self._leaf, Table)
            self._leaf = None
            self._left = list(self._containers)

    def _close_to(self, depth: int) -> None:
        """Close the open block, and the containers above `depth`."""
        self._close_leaf()
        if any(one.marker for one in self._containers[depth:]):
            # an item with nothing in it
            self._frame().mark()
            self._left = list(self._containers)
        del self._containers[depth:]

    def _draw_rule(self) -> None:
        frame = self._frame()
        count = max(3, min(RULE_CELLS, frame.limit - frame.first[1]))
        self._out.append(frame.first[0] + self._ink.text("\u2500" * count, FAINT) + "\n")
        self._left = list(self._containers)


__all__ = ["Container", "Item", "Quote", "Reader"]
