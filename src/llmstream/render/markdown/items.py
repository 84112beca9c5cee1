"""List items: their markers, numbers and task boxes."""

from __future__ import annotations

import re
from typing import Final

from llmstream.render.markdown.containers import BULLETS, DEEPEST, Item
from llmstream.render.markdown.leaves import Paragraph
from llmstream.render.markdown.lines import Lines

BLANKS: Final = re.compile(r"[ \t]*")
NUMBER: Final = re.compile(r"(\d{1,9})([.)])")
NUMBER_BEGUN: Final = re.compile(r"\d{1,9}[.)]?")
TASK: Final = re.compile(r"\[([ xX])\][ \t]+(?=\S)")
TASK_BEGUN: Final = re.compile(r"\[(?:[ xX](?:\](?:[ \t]+)?)?)?")


class Items(Lines):
    """The rules for lines that start with a list marker."""

    def __init__(self) -> None:
        super().__init__()
        self._boxed = False
        """The item's text follows a task's box."""
        self._lists: dict[int, tuple[str, int]] = {}
        """For each depth, the list that an item would continue: its marker character and next number."""

    def _forget_lists(self, depth: int) -> None:
        for one in [one for one in self._lists if one >= depth]:
            del self._lists[one]

    def _item(self, blanks: int, at: int) -> bool | None:
        sign = self._line[at]
        if sign == "_":
            return False
        return self._listed(blanks, at, sign, 1, None)

    def _numbered(self, blanks: int, at: int) -> bool | None:
        found = NUMBER.match(self._line, at)
        if not found:
            return None if NUMBER_BEGUN.fullmatch(self._line, at) else False
        return self._listed(blanks, at, found[2], len(found[0]), int(found[1]))

    def _listed(self, blanks: int, at: int, sign: str, size: int, number: int | None) -> bool | None:
        """Open a list item if there is a marker at `at`; None if more of the line is needed."""
        line, start = self._line, at + size
        after = line[start : start + 1]
        if after and after not in " \t\n":
            return False
        blank = BLANKS.match(line, start)
        content = blank.end() if blank else start
        if content == len(line):
            return None
        empty = line[content] == "\n"
        if isinstance(self._leaf, Paragraph) and self._inside and (empty or number not in (None, 1)):
            return False
        if len(self._containers) >= DEEPEST and self._inside:
            return False
        if TASK_BEGUN.fullmatch(line, content):
            return None
        self._close_to(self._depth)
        self._skip(blanks)
        self._pass(size)
        gap, _ = self._blanks()
        gap = 1 if empty or gap > 4 else gap
        if not empty:
            self._skip(gap)
        self._containers.append(Item(blanks + size + gap, self._marker(sign, number), bullet=number is None))
        self._depth += 1
        return True

    def _marker(self, sign: str, number: int | None) -> str:
        """Return the marker to show before an item, and count the item."""
        depth = self._depth
        self._forget_lists(depth + 1)
        kind, following = self._lists.get(depth, ("", 0))
        shown = following if kind == sign else number or 0
        self._lists[depth] = (sign, shown + 1)
        found = TASK.match(self._line, self._at)
        box = ""
        if found:
            self._at = found.end()
            self._boxed = True
            box = "\u2610" if found[1] == " " else "\u2611"
        if number is None:
            level = sum(isinstance(one, Item) and one.bullet for one in self._containers)
            return box or BULLETS[level % len(BULLETS)]
        return f"{shown}{sign} {box}".rstrip()
