"""The starts of lines: which open blocks continue, and which new ones open."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from llmstream.render.markdown.code import Code
from llmstream.render.markdown.containers import DEEPEST, Quote
from llmstream.render.markdown.highlight import highlighter
from llmstream.render.markdown.html import Html, html_start
from llmstream.render.markdown.items import Items
from llmstream.render.markdown.leaves import Frame, Heading, Leaf, Paragraph
from llmstream.render.markdown.table import RULER_BEGUN, Table, is_table

RULE: Final = re.compile(r"([*_-])(?:[ \t]*\1){2,}[ \t]*\n")
RULE_BEGUN: Final = re.compile(r"([*_-])(?:[ \t]*\1)*[ \t]*")
UNDERLINE: Final = re.compile(r"(?:=+|-+)[ \t]*\n")
UNDERLINE_BEGUN: Final = re.compile(r"=+[ \t]*")
HEADING: Final = re.compile(r"(#{1,6})(?:[ \t]+|(?=\n))")
HEADING_BEGUN: Final = re.compile(r"#{1,6}")
FENCE: Final = re.compile(r"(`{3,}|~{3,})[ \t]*([^\n]*)")
FENCE_BEGUN: Final = re.compile(r"`+|~+")
LONGEST_INFO: Final = 1000
"""Maximum number of characters held back until the kind of a line is known, as after a fence."""


class Starts(Items):
    """The rules for the start of a line.

    Each returns True if it applied, False if it doesn't apply, None if more of the line is needed.
    """

    def __init__(self) -> None:
        super().__init__()
        quick: dict[str, Callable[[int, int], bool | None]] = {
            ">": self._quote,
            "#": self._heading,
            "`": self._fence,
            "~": self._fence,
            "*": self._rule_or_item,
            "-": self._rule_or_item,
            "_": self._rule_or_item,
            "+": self._item,
            "=": self._underlined,
            "<": self._html,
        }
        self._rules = quick | dict.fromkeys("0123456789", self._numbered)

    def _opens(self, blanks: int, at: int) -> bool | None:
        """Find the kind of the rest of the line."""
        leaf = self._leaf
        if self._boxed:
            return self._task(at)
        if self._inside and isinstance(leaf, Code) and leaf.fence:
            return self._fenced(leaf, blanks, at)
        if self._inside and isinstance(leaf, Html) and (leaf.end or self._line[at] != "\n"):
            leaf.join()
            self._give()
            return True
        if self._line[at] == "\n":
            self._blank_line()
            return True
        if isinstance(leaf, Paragraph) and leaf.head is not None:
            done = self._ruler(leaf, at) if self._inside and blanks < 4 else False
            if done is not False:
                return done
            leaf.release()
        if blanks >= 4:
            return self._indented(blanks, at)
        rule = self._rules.get(self._line[at])
        done = rule(blanks, at) if rule else False
        return self._plain_text(at) if done is False else done

    def _give(self) -> None:
        """Pass the rest of the line to the open block."""
        self._content(" " * self._pad + self._line[self._at :])

    def _plain_text(self, at: int) -> bool:
        leaf = self._leaf
        if isinstance(leaf, Paragraph) or (isinstance(leaf, Table) and self._inside):
            leaf.join()
        else:
            self._start(Paragraph)
        self._at, self._pad = at, 0
        self._give()
        return True

    def _task(self, at: int) -> bool:
        """Read the text after a task's box, which is always a paragraph and never a table's header."""
        self._boxed = False
        self._start(lambda frame: Paragraph(frame, tabled=False))
        self._at, self._pad = at, 0
        self._give()
        return True

    def _start(self, make: Callable[[Frame], Leaf], *, barred: bool = True) -> None:
        """Close blocks that don't continue, and open a new one."""
        self._close_to(self._depth)
        self._forget_lists(self._depth)
        self._leaf = make(self._frame(barred=barred))

    def _blank_line(self) -> None:
        leaf = self._leaf
        if isinstance(leaf, Code):
            if self._inside:
                leaf.blank()
            else:
                self._close_leaf()
        else:
            self._close_leaf()
        if not self._inside:
            self._close_to(self._depth)
        self._blank = True
        self._new_line()

    def _indented(self, blanks: int, at: int) -> bool:
        leaf = self._leaf
        if isinstance(leaf, Paragraph):
            return self._plain_text(at)
        if isinstance(leaf, Code) and self._inside:
            leaf.join()
            self._blank = False
        else:
            self._start(lambda frame: Code(frame, None), barred=False)
        self._skip(4)
        self._give()
        return True

    def _fenced(self, leaf: Code, blanks: int, at: int) -> bool | None:
        """Read a line of a fenced block, or its closing fence."""
        line, sign = self._line, leaf.fence[0]
        if blanks <= 3 and line[at] == sign:
            rest = line[at:]
            ticks = len(rest) - len(rest.lstrip(sign))
            if not rest[ticks:].strip(" \t\n"):
                if not rest.endswith("\n"):
                    return None
                if ticks >= len(leaf.fence):
                    self._close_leaf()
                    self._new_line()
                    return True
        self._skip(min(blanks, leaf.indent))
        self._give()
        return True

    def _quote(self, blanks: int, at: int) -> bool:
        if len(self._containers) >= DEEPEST and self._inside:
            return False
        self._close_to(self._depth)
        self._forget_lists(self._depth)
        self._skip(blanks)
        self._pass(1)
        self._containers.append(Quote())
        self._depth += 1
        self._optional = True
        return True

    def _heading(self, blanks: int, at: int) -> bool | None:
        found = HEADING.match(self._line, at)
        if not found:
            return None if HEADING_BEGUN.fullmatch(self._line, at) else False
        level = len(found[1])
        self._start(lambda frame: Heading(frame, level))
        self._at, self._pad = found.end(), 0
        self._give()
        return True

    def _fence(self, blanks: int, at: int) -> bool | None:
        line = self._line
        found = FENCE.match(line, at)
        if not found:
            return None if FENCE_BEGUN.fullmatch(line, at) else False
        info = found[2]
        if line[at] == "`" and "`" in info:
            return False
        if not line.endswith("\n") and len(info) < LONGEST_INFO:
            return None
        language = info.strip().partition(" ")[0].partition("{")[0].strip(",")
        ink = self._ink
        colours = highlighter(language, ink.colours, ink.theme)
        self._start(lambda frame: Code(frame, colours, found[1], blanks), barred=False)
        self._new_line()
        return True

    def _underlined(self, blanks: int, at: int) -> bool | None:
        leaf = self._leaf
        if not isinstance(leaf, Paragraph) or not self._inside:
            return False
        found = UNDERLINE.match(self._line, at)
        if not found:
            return None if UNDERLINE_BEGUN.fullmatch(self._line, at) else False
        if not leaf.head_over(1 if self._line[at] == "=" else 2):
            # the paragraph's rows are finished, so the underline is shown as text
            leaf.close()
            self._leaf = Paragraph(
                Frame(leaf.frame.out, leaf.frame.ink, self._columns, leaf.frame.rest, leaf.frame.rest)
            )
            self._leaf.rows.add(found[0].strip(), 0)
        self._close_leaf()
        self._new_line()
        return True

    def _rule_or_item(self, blanks: int, at: int) -> bool | None:
        line = self._line
        if not line.endswith("\n"):
            if len(line) - at < LONGEST_INFO and RULE_BEGUN.fullmatch(line, at):
                return None
            return self._item(blanks, at)
        if line[at] == "-" and UNDERLINE.match(line, at):
            done = self._underlined(blanks, at)
            if done is not False:
                return done
        if RULE.match(line, at):
            self._close_to(self._depth)
            self._forget_lists(self._depth)
            self._draw_rule()
            self._new_line()
            return True
        return self._item(blanks, at)

    def _html(self, blanks: int, at: int) -> bool | None:
        found = html_start(self._line, at, within=isinstance(self._leaf, Paragraph))
        if not isinstance(found, str):
            return found
        self._start(lambda frame: Html(frame, found))
        self._at, self._pad = at, 0
        self._give()
        return True

    def _ruler(self, leaf: Paragraph, at: int) -> bool | None:
        """Find out whether the line makes the previous one a table's header."""
        line = self._line
        if not line.endswith("\n"):
            return None if RULER_BEGUN.fullmatch(line, at) else False
        head, ruler = leaf.head or "", line[at:-1]
        if not is_table(head, ruler):
            return False
        frame = leaf.take_head()
        self._leaf = Table(frame, head, ruler)
        self._new_line()
        return True
