"""Find fenced code blocks in Markdown, one line at a time.

Source: CommonMark 0.31, section 4.5.  Fences inside lists and block quotes count too; the markers and
indentation of these are not part of the content.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

FENCE: Final = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
ITEM: Final = re.compile(r"([-+*]|(\d{1,9})[.)])(?=[ \t]|$)")
BREAK: Final = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
ENDING: Final = re.compile(rf"#{{1,6}}(?:[ \t]|$)|{BREAK.pattern}")
"""A heading or a thematic break: a line that never belongs to a paragraph."""


class Fence(NamedTuple):
    """An open fence.

    Args:
        sign: its run of backticks or tildes.
        indent: columns before it, within its containers.
        depth: number of containers around it.
    """

    sign: str
    indent: int
    depth: int


class Line:
    """A line read from the left; a tab counts as columns up to the next multiple of four."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.column = 0
        self._owed = 0  # columns of a tab that are not read yet

    def indent(self) -> int:
        """Return the columns of blanks from the current position."""
        column, at = self.column + self._owed, self.at
        while at < len(self.text) and self.text[at] in " \t":
            column += 4 - column % 4 if self.text[at] == "\t" else 1
            at += 1
        return column - self.column

    def skip(self, columns: int) -> None:
        """Skip at most this many columns of blanks."""
        while columns > 0:
            if self._owed:
                step = min(columns, self._owed)
                self._owed -= step
                self.column += step
                columns -= step
            elif self.at < len(self.text) and self.text[self.at] in " \t":
                self._owed = 4 - self.column % 4 if self.text[self.at] == "\t" else 1
                self.at += 1
            else:
                return

    def take(self, characters: int) -> None:
        """Skip this many characters that are not blanks."""
        self.at += characters
        self.column += characters

    @property
    def rest(self) -> str:
        """The rest of the line; a partly read tab as spaces."""
        return " " * self._owed + self.text[self.at :]


class Blocks:
    """Tracks an answer's block structure line by line, as far as needed to find fences."""

    def __init__(self) -> None:
        self.fence: Fence | None = None
        # None for a block quote, the columns of its content's indentation for a list item
        self._containers: list[int | None] = []
        self._paragraph = False
        self._empty = False  # whether the innermost container is an item without content so far

    def line(self, text: str) -> str | None:
        """Handle one line, without its newline; return its content if it is in a fenced block, else None."""
        line = Line(text)
        matched = self._matched(line)
        if self.fence is not None:
            if matched == self.fence.depth:
                return self._inside(line)
            # the fence ends with its container
            self.fence = None
        self._opened(line, matched)
        return None

    def settled(self, text: str) -> str | None:
        """Return an incomplete line's content if it is in a fenced block and can't be its end, else None."""
        if self.fence is None:
            return None
        line = Line(text)
        if self._matched(line) < self.fence.depth:
            return None
        start = line.rest.lstrip(" \t")
        if not start or start[0] == "\r" or _may_close(line.rest, self.fence):
            return None
        line.skip(self.fence.indent)
        return line.rest

    def _matched(self, line: Line) -> int:
        """Skip the markers of the open containers in a line, and return how many containers continue."""
        for depth, content in enumerate(self._containers):
            indent = line.indent()
            if content is None:
                if indent > 3 or not line.text.startswith(">", line.at + _blanks(line)):
                    return depth
                line.skip(indent)
                line.take(1)
                line.skip(min(1, line.indent()))
            elif indent >= content:
                line.skip(content)
            elif line.rest.strip() or (self._empty and depth == len(self._containers) - 1):
                return depth
            else:
                line.skip(indent)
        return len(self._containers)

    def _inside(self, line: Line) -> str | None:
        assert self.fence is not None
        rest = line.rest
        bare = rest.strip(" \t\r")
        if line.indent() <= 3 and len(bare) >= len(self.fence.sign) and not bare.strip(self.fence.sign[0]):
            self.fence = None
            self._paragraph = False
            return None
        line.skip(self.fence.indent)
        return line.rest

    def _opened(self, line: Line, matched: int) -> None:
        """Handle a line outside of any fence, which may open containers and a fence."""
        containers = self._containers[:matched]
        before = len(containers)
        while line.indent() <= 3:
            rest = line.rest.strip(" \t\r")
            if rest.startswith(">"):
                line.skip(line.indent())
                line.take(1)
                line.skip(min(1, line.indent()))
                containers.append(None)
            elif item := self._item(
                line, rest, new=len(containers) > before or matched < len(self._containers)
            ):
                containers.append(item)
            else:
                break
        indent, rest = line.indent(), line.rest.strip(" \t\r")
        fence = FENCE.match(rest) if indent <= 3 else None
        same = len(containers) == before
        words = bool(rest) and fence is None and not (indent <= 3 and ENDING.match(rest))
        if words and self._paragraph and same and matched < len(self._containers):
            # the paragraph of an inner container continues without that container's markers
            return
        goes_on = self._paragraph and same
        self._empty = (
            not rest and bool(containers) and containers[-1] is not None and (self._empty or not same)
        )
        self._containers = containers
        underline = goes_on and not rest.strip("=")
        self._paragraph = words and not underline and (indent <= 3 or goes_on)
        if fence is not None:
            self.fence = Fence(fence[1] or fence[3], indent, len(containers))

    def _item(self, line: Line, rest: str, *, new: bool) -> int | None:
        """Read a list item's marker and return the columns of its content; None if there is no marker."""
        found = ITEM.match(rest)
        if found is None or BREAK.match(rest):
            return None
        empty = len(rest) == found.end()
        if self._paragraph and not new and (empty or found[2] not in (None, "1")):
            return None  # it would be text of the paragraph
        before = line.indent()
        line.skip(before)
        line.take(found.end())
        after = line.indent()
        # five or more columns count as one, followed by indented code
        blanks = 1 if empty or after > 4 else after
        line.skip(min(blanks, after))
        return before + found.end() + blanks


def _blanks(line: Line) -> int:
    """Return the number of blank characters from the current position."""
    return len(line.text) - line.at - len(line.text[line.at :].lstrip(" \t"))


def _may_close(rest: str, fence: Fence) -> bool:
    """Return whether the start of a line may become a closing fence."""
    bare = rest.lstrip(" ")
    return len(rest) - len(bare) <= 3 and not bare.strip(" \t\r").strip(fence.sign[0])
