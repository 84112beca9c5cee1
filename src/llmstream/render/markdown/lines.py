"""The open line: how much of it has been read, and which open containers continue in it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from llmstream.render.markdown.containers import Container, Item
from llmstream.render.markdown.html import Html
from llmstream.render.markdown.ink import Ink
from llmstream.render.markdown.leaves import Frame, Heading, Leaf


class Lines(ABC):
    """The state of the open line."""

    _columns: int
    _ink: Ink

    def __init__(self) -> None:
        self._line = ""
        self._at = 0
        self._column = 0
        self._pad = 0
        self._seen = (0, 0)
        """Index and column at which the last search for blanks ended."""
        self._heading_line = True
        """The start of the open line is being read."""
        self._optional = False
        self._depth = 0
        self._matching = True
        self._containers: list[Container] = []
        self._leaf: Leaf | None = None
        self._blank = False

    # ---- implemented by the reader and the rules

    @abstractmethod
    def _opens(self, blanks: int, at: int) -> bool | None:
        """Return whether the line opens a block, None if more of it is needed."""

    @abstractmethod
    def _content(self, text: str) -> None:
        """Pass the rest of the line to its block."""

    @abstractmethod
    def _frame(self, *, barred: bool = True) -> Frame:
        """Return the frame of a block that starts now."""

    @abstractmethod
    def _close_to(self, depth: int) -> None:
        """Close the open block and the containers from `depth` on."""

    @abstractmethod
    def _close_leaf(self) -> None:
        """Close the open block of text."""

    @abstractmethod
    def _draw_rule(self) -> None:
        """Draw a horizontal rule."""

    # ---- the line

    def _new_line(self) -> None:
        self._line = ""
        self._at = self._column = self._pad = self._depth = 0
        self._seen = (0, 0)
        self._heading_line = self._matching = True
        self._optional = False

    def _ended_line(self) -> None:
        """Close a block that ends with its line."""
        leaf = self._leaf
        if isinstance(leaf, Heading) or (isinstance(leaf, Html) and leaf.ended):
            self._close_leaf()

    def _classify(self) -> None:
        """Read the start of the line until its block is known or more text is needed."""
        while self._heading_line and self._line:
            if self._optional:
                if self._at >= len(self._line):
                    return
                self._optional = False
                if self._line[self._at] in " \t":
                    self._skip(1)
            blanks, at = self._blanks()
            if at >= len(self._line):
                return
            if self._matching and self._depth < len(self._containers):
                self._match(blanks, at)
            elif self._opens(blanks, at) is None:
                return

    def _blanks(self) -> tuple[int, int]:
        """Return how many columns of blanks follow, and the index where they end."""
        line = self._line
        # called for each container and each piece of the answer, so the scan resumes where it ended
        at, column = self._seen
        if at < self._at:
            at, column = self._at, self._column + self._pad
        while at < len(line) and line[at] in " \t":
            column += 1 if line[at] == " " else 4 - column % 4
            at += 1
        self._seen = (at, column)
        return column - self._column, at

    def _skip(self, count: int) -> None:
        """Skip this many columns of blanks; the last may be only a part of a tab."""
        while count > 0:
            if self._pad:
                used = min(count, self._pad)
                self._pad -= used
            elif self._line[self._at] == "\t":
                self._pad = 4 - self._column % 4
                self._at += 1
                continue
            else:
                self._at += 1
                used = 1
            self._column += used
            count -= used

    def _match(self, blanks: int, at: int) -> None:
        """Find out whether the next open container continues in this line."""
        container = self._containers[self._depth]
        sign = self._line[at]
        if isinstance(container, Item):
            if sign != "\n" and blanks < container.indent:
                self._matching = False
                return
            self._skip(min(blanks, container.indent))
        elif blanks <= 3 and sign == ">":
            self._skip(blanks)
            self._pass(1)
            self._optional = True
        else:
            self._matching = False
            return
        self._depth += 1

    def _pass(self, count: int) -> None:
        self._at += count
        self._column += count

    @property
    def _inside(self) -> bool:
        """Whether all open containers continue in this line."""
        return self._depth == len(self._containers)
