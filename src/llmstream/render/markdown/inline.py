"""Read the markup within one block's text while it arrives: emphasis, code, links, entities, escapes.

Source whose meaning isn't known yet is kept in `_source`: a delimiter at the end of the text so far, an
incomplete link target.  Everything else becomes pieces at once.  Open code is shown as code; if its
block ends before it is closed, its source is read again as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from llmstream.render.markdown.brackets import WAIT
from llmstream.render.markdown.emphasis import Sign, flanking
from llmstream.render.markdown.ink import CODE, LINK
from llmstream.render.markdown.links import (
    AUTOLINK,
    AUTOLINK_BEGUN,
    ENTITY,
    ENTITY_BEGUN,
    LONGEST,
    NAMED,
    PUNCTUATION,
    TAG,
    TAG_BEGUN,
    character_of,
    linked,
)
from llmstream.render.markdown.pieces import Break, Piece
from llmstream.render.markdown.rows import Rows
from llmstream.render.markdown.spans import Spanned

SIGNS: Final = re.compile(r"[*_~`\[\]!<&\\]")
RUN: Final = re.compile(r"\*+|_+|~+|`+")


class Inline(Spanned):
    """Reads one block's text.

    Args:
        rows: receives the pieces.
        base: style of all text, as bits of ink.
        cell: whether this is a table cell: its text is added as a whole, and `<br>` breaks its row.
    """

    def __init__(self, rows: Rows, base: int = 0, *, cell: bool = False) -> None:
        super().__init__(rows, base)
        self._breaks = self._whole = cell
        self._hard = False

    @property
    def empty(self) -> bool:
        """Whether no text was added yet."""
        return not self._at

    def plain(self, text: str) -> None:
        """Add ASCII text without markup characters and newlines; like `feed`, but faster."""
        if self._source or self._brackets or self._span:
            self.feed(text)
            return
        self._at += len(text)
        self._before = text[-1]
        self._rows.run(text, self._emphasis.style)

    def feed(self, text: str) -> None:
        """Add text without newlines."""
        source = self._source + text
        self._source = ""
        at = 0
        while at < len(source):
            if self._span:
                after = self._code(source, at)
            else:
                found = SIGNS.search(source, at)
                start = found.start() if found else len(source)
                if start > at:
                    self._put(source[at:start])
                    at = start
                if not found:
                    break
                self._rows.lay()
                after = HANDLERS[source[at]](self, source, at)
            if after == WAIT:
                break
            self._at += after - at
            self._before = source[after - 1]
            at = after
            self._expire()
        self._source = source[at:]
        self._expire()
        self._rows.lay()

    def _put(self, text: str) -> None:
        """Append text without markup."""
        self._at += len(text)
        self._before = text[-1]
        self._rows.add(text, self._emphasis.style)

    def end_line(self) -> None:
        """End the open line; whether the block continues isn't known yet."""
        self._ended = True
        self.feed("")
        self._ended = False
        rows = self._rows
        last = rows.waiting[-1] if rows.waiting else None
        self._hard = self._source == "\\" and not self._span
        if last and last.text.endswith(" ") and not self._source:
            blanks = len(last.text) - len(last.text.rstrip(" "))
            if blanks > 1 or not self._span:
                last.text = last.text[:-blanks]
                self._hard = self._hard or blanks > 1
        rows.lay(ended=True)

    def join(self) -> None:
        """Continue with the next line."""
        if self._span:
            self._span.source.append("\n")
            if self._hard:
                # this span may turn out to be text, and the row breaks here either way
                self._rows.waiting.append(Break())
            else:
                self._rows.add(" ", self._emphasis.style | CODE)
        elif self._hard:
            self._source = ""
            self._rows.waiting.append(Break())
        else:
            self._rows.add(" ", self._emphasis.style)
        self._hard = False
        self._at += 1
        self._before = " "

    def end(self) -> None:
        """End the block: show unclosed markup as text if its row is still open."""
        self._ended = True
        self.feed("")
        while self._span:
            span, self._span = self._span, None
            if self._rows.standing(span.piece):
                break
            self._reread(span)
        if self._source:
            source, self._source = self._source, ""
            self._rows.add_sign(source, self._emphasis.style)
        while self._brackets:
            self._fail(self._brackets[0])
        if self._emphasis.give_up() and self._emphasis.restyle():
            self._rows.redraw()
        self._rows.lay(ended=True)

    # ---- markup characters

    def _sign(self, source: str, at: int) -> int:
        match = RUN.match(source, at)
        assert match
        end = match.end()
        if end == len(source) and not self._ended:
            return WAIT
        mark = source[at]
        before = source[at - 1] if at else self._before
        after = source[end] if end < len(source) else " "
        count = end - at
        if mark == "~":
            if count < 2:
                return self._literal(source, at)
            if count % 2:
                self._literal(source, at)
        opens, closes = flanking(mark, before, after)
        runs = [2] * (count // 2) if mark == "~" else [count]
        for length in runs:
            sign = Sign(mark, length, opens, closes)
            self._rows.waiting.append(sign)
            if self._brackets:
                self._delayed.add(sign)
            else:
                self._decide(sign)
        return end

    def _decide(self, sign: Sign) -> None:
        if self._emphasis.put(sign) and self._emphasis.restyle():
            self._rows.redraw()

    def _backslash(self, source: str, at: int) -> int:
        if at + 1 == len(source):
            return WAIT
        if source[at + 1] in PUNCTUATION:
            self._rows.add(source[at + 1], self._emphasis.style)
            return at + 2
        return self._literal(source, at)

    def _ampersand(self, source: str, at: int) -> int:
        found = ENTITY.match(source, at)
        if found:
            self._rows.add(character_of(found[0]), self._emphasis.style)
            return found.end()
        if not self._ended and ENTITY_BEGUN.fullmatch(source, at):
            return WAIT
        return self._literal(source, at)

    def _angle(self, source: str, at: int) -> int:
        found = AUTOLINK.match(source, at)
        if found:
            address = found[0][1:-1]
            link = linked(address if NAMED.match(address) else "mailto:" + address)
            style = self._emphasis.style | (LINK if link else 0)
            self._rows.waiting.append(Piece(address, style, link))
            return found.end()
        found = TAG.match(source, at)
        if found and found.end() - at <= self._rows.limit:
            broken = self._breaks and found[0][:3].lower() == "<br"
            self._rows.waiting.append(Break() if broken else Piece(found[0], self._emphasis.style))
            return found.end()
        held = 0 if self._ended else len(source) - at
        if 0 < held <= self._rows.limit and TAG_BEGUN.fullmatch(source, at):
            return WAIT
        if 0 < held < LONGEST and AUTOLINK_BEGUN.fullmatch(source, at):
            return WAIT
        return self._literal(source, at)


HANDLERS: Final[dict[str, Callable[[Inline, str, int], int]]] = {
    "*": Inline._sign,
    "_": Inline._sign,
    "~": Inline._sign,
    "`": Inline._ticks,
    "[": Inline._bracket,
    "!": Inline._bang,
    "]": Inline._closing,
    "<": Inline._angle,
    "&": Inline._ampersand,
    "\\": Inline._backslash,
}
