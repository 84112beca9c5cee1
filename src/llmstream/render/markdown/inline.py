"""Reads the signs within one block's text as it comes: emphasis, code, links, entities, escapes.

What isn't decided yet is kept as source (`_source`) until it is: a sign at the end of what came, an
address that hasn't ended.  All else becomes pieces at once.  Code that hasn't ended is shown as code;
when its block ends first, its source is read again, as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from llmstream.render.markdown.emphasis import Emphasis, Sign, flanking
from llmstream.render.markdown.ink import CODE, FAINT, LINK
from llmstream.render.markdown.links import (
    AUTOLINK,
    ENTITY,
    ENTITY_BEGUN,
    LONGEST,
    NAMED,
    PUNCTUATION,
    character_of,
    linked,
    says,
    target,
)
from llmstream.render.markdown.rows import Break, Piece, Rows
from llmstream.render.markdown.widths import cells

SIGNS: Final = re.compile(r"[*_~`\[\]!<&\\]")
RUN: Final = re.compile(r"\*+|_+|~+|`+")
TICKS: Final = re.compile("`+")
TAG: Final = re.compile(
    r"""</?[A-Za-z][A-Za-z0-9-]*(?:[ ]+[A-Za-z_:][\w:.-]*=(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))*[ ]*/?>|<!--[^\s]*?-->"""
)
TAG_BEGUN: Final = re.compile(
    r"""<(?:/?(?:[A-Za-z][A-Za-z0-9-]*(?:[ ]+[A-Za-z_:][\w:.-]*=(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))*"""
    r"""(?:[ ]*/?|[ ]+[A-Za-z_:][\w:.-]*(?:=(?:"[^"]*|'[^']*|[^\s"'=<>`]*)?)?))?|!(?:-(?:-[^\s]*)?)?)"""
)
AUTOLINK_BEGUN: Final = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~:@-]*|<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*")
WAIT: Final = -1
"""More text is needed to say what stands here."""


class Bracket:
    """A `[` that may open a link.

    Args:
        piece: its place among the pieces.
        at: its place in the block's source.
        image: `![`.
    """

    def __init__(self, piece: Piece, at: int, image: bool) -> None:
        self.piece = piece
        self.at = at
        self.image = image
        self.useless = False
        """Within it stands a link, and no link holds another."""


class Span:
    """Code that hasn't ended.

    Args:
        piece: what opened it.
        ticks: how many.
    """

    def __init__(self, piece: Piece, ticks: int) -> None:
        self.piece = piece
        self.ticks = ticks
        self.source: list[str] = []
        """What came since, as long as it may have to be read again."""
        self.blank = False
        """It begins with a blank, which isn't shown."""
        self.solid = False
        """It holds more than blanks."""


class Inline:
    """Reads one block's text.

    Args:
        rows: takes the pieces.
        base: the style of all text.
        breaks: whether `<br>` breaks the row, as in the cells of a table.
    """

    def __init__(self, rows: Rows, base: int = 0, *, breaks: bool = False) -> None:
        self._rows = rows
        self._emphasis = Emphasis(rows, base)
        self._base = base
        self._breaks = breaks
        self._source = ""
        self._before = " "
        self._at = 0
        self._brackets: list[Bracket] = []
        self._delayed: set[Sign] = set()
        self._span: Span | None = None
        self._unclosed: set[int] = set()
        self._ended = False
        self._hard = False

    @property
    def empty(self) -> bool:
        """Whether nothing has come yet."""
        return not self._at

    def plain(self, text: str) -> None:
        """Take ASCII text without signs and newlines; the same as `feed`, but quick."""
        if self._source or self._brackets or self._span:
            self.feed(text)
            return
        self._at += len(text)
        self._before = text[-1]
        self._rows.run(text, self._emphasis.style)

    def feed(self, text: str) -> None:
        """Take text without newlines."""
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
        """Append text that holds no sign."""
        self._at += len(text)
        self._before = text[-1]
        self._rows.add(text, self._emphasis.style)

    def _literal(self, source: str, at: int, count: int = 1) -> int:
        self._rows.add(source[at : at + count], self._emphasis.style)
        return at + count

    def end_line(self) -> None:
        """Take the end of a line; whether the block goes on isn't known yet."""
        self._ended = True
        self.feed("")
        self._ended = False
        rows = self._rows
        last = rows.waiting[-1] if rows.waiting else None
        self._hard = self._source == "\\"
        if last and last.text.endswith(" ") and not self._span and not self._source:
            blanks = len(last.text) - len(last.text.rstrip(" "))
            last.text = last.text[:-blanks]
            self._hard = self._hard or blanks > 1
        rows.lay(ended=True)

    def join(self) -> None:
        """Go on with the next line."""
        if self._hard and not self._span:
            self._source = ""
            self._rows.waiting.append(Break())
        elif self._span:
            self._span.source.append("\n")
            self._rows.add(" ", self._emphasis.style | CODE)
        else:
            self._rows.add(" ", self._emphasis.style)
        self._hard = False
        self._at += 1
        self._before = " "

    def end(self) -> None:
        """End the block: what was never closed stands as text, if its row is still open."""
        self._ended = True
        self.feed("")
        while self._span:
            span, self._span = self._span, None
            if self._rows.standing(span.piece):
                break
            self._reread(span)
        if self._source:
            source, self._source = self._source, ""
            self._rows.add(source, self._emphasis.style)
        while self._brackets:
            self._fail(self._brackets[0])
        if self._emphasis.give_up() and self._emphasis.restyle():
            self._rows.redraw()
        self._rows.lay(ended=True)

    def _reread(self, span: Span) -> None:
        """Read the source of code that never ended as text."""
        rows = self._rows
        source = "".join(span.source) + self._source
        self._source = ""
        self._unclosed.add(span.ticks)
        piece = span.piece
        drawn = piece.row >= 0
        pieces = rows.drawn + rows.waiting
        kept = pieces[: pieces.index(piece) + 1]
        piece.text = "`" * span.ticks
        rows.drawn = [one for one in kept if one.row >= 0]
        rows.waiting = [one for one in kept if one.row < 0]
        if drawn:
            rows.redraw()
        self._before = "`"
        for number, line in enumerate(source.split("\n")):
            if number:
                self.end_line()
                self.join()
            self.feed(line)
            self._ended = True
            self.feed("")

    # ---- signs

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

    def _ticks(self, source: str, at: int) -> int:
        match = TICKS.match(source, at)
        assert match
        end = match.end()
        if end == len(source) and not self._ended:
            return WAIT
        if end - at in self._unclosed:
            return self._literal(source, at, end - at)
        piece = Piece("", self._emphasis.style)
        self._rows.waiting.append(piece)
        self._span = Span(piece, end - at)
        return end

    def _code(self, source: str, at: int) -> int:
        """Take code up to what ends it."""
        span = self._span
        assert span
        start = at
        if not span.source and source[at] == " ":
            span.blank = True
            at += 1
        style = self._emphasis.style | CODE
        for found in TICKS.finditer(source, at):
            if found.end() == len(source) and not self._ended:
                self._inside(span, source[start : found.start()], source[at : found.start()], style)
                return found.start() if found.start() > start else WAIT
            if len(found[0]) == span.ticks:
                self._inside(span, source[start : found.start()], source[at : found.start()], style)
                self._end_code(span)
                return found.end()
        self._inside(span, source[start:], source[at:], style)
        return len(source)

    def _inside(self, span: Span, source: str, text: str, style: int) -> None:
        # the source of a span whose row is finished is never read again
        if not span.source or not self._rows.standing(span.piece):
            span.source.append(source)
        if text:
            span.solid = span.solid or not text.isspace()
            self._rows.add(text, style)

    def _end_code(self, span: Span) -> None:
        self._span = None
        waiting = self._rows.waiting
        if span.blank and span.solid and waiting and waiting[-1].style & CODE:
            waiting[-1].text = waiting[-1].text.removesuffix(" ")

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

    # ---- links

    def _bang(self, source: str, at: int) -> int:
        if at + 1 == len(source) and not self._ended:
            return WAIT
        if source[at + 1 : at + 2] != "[":
            return self._literal(source, at)
        return self._open(at, "![")

    def _bracket(self, source: str, at: int) -> int:
        return self._open(at, "[")

    def _open(self, at: int, text: str) -> int:
        piece = Piece(text, self._emphasis.style)
        piece.stop = True
        self._rows.waiting.append(piece)
        self._brackets.append(Bracket(piece, self._at, len(text) > 1))
        return at + len(text)

    def _closing(self, source: str, at: int) -> int:
        if not self._brackets:
            return self._literal(source, at)
        if at + 1 == len(source) and not self._ended:
            return WAIT
        bracket = self._brackets[-1]
        found = None
        if source[at + 1 : at + 2] == "(" and not bracket.useless and self._fits(bracket):
            found = target(source, at + 1)
            if found is True and not self._ended:
                return WAIT
        if not found or found is True:
            self._fail(bracket)
            return self._literal(source, at)
        self._link(bracket, found.address)
        return found.end

    def _link(self, bracket: Bracket, address: str) -> None:
        waiting = self._rows.waiting
        start = waiting.index(bracket.piece)
        inner = waiting[start + 1 :]
        signs = [piece for piece in inner if isinstance(piece, Sign) and piece in self._delayed]
        self._delayed.difference_update(signs)
        depth = self._emphasis.depth
        for sign in signs:
            self._emphasis.put(sign, depth)
        self._emphasis.give_up(depth)
        self._emphasis.restyle()
        link = linked(address)
        shown = "".join(piece.text for piece in inner)
        for piece in inner:
            if link and not piece.link:
                piece.link = link
                piece.style |= LINK
        style = self._emphasis.style | FAINT
        bracket.piece.text = "\U0001f5bc " if bracket.image else ""
        bracket.piece.stop = False
        self._brackets.remove(bracket)
        for outer in self._brackets:
            outer.useless = outer.useless or not (outer.image or bracket.image)
        if address and (bracket.image or not says(shown, address)):
            self._rows.add(f" ({address})", style)
        if not self._brackets:
            self._settle()

    def _fail(self, bracket: Bracket) -> None:
        """Let a bracket stand as text."""
        bracket.piece.stop = False
        self._brackets.remove(bracket)
        self._settle()

    def _settle(self) -> None:
        """Let those signs close and open that wait for no bracket any more."""
        waiting = self._rows.waiting
        first = waiting.index(self._brackets[0].piece) if self._brackets else len(waiting)
        delayed = self._delayed
        ready = [piece for piece in waiting[:first] if isinstance(piece, Sign) and piece in delayed]
        for sign in ready:
            self._emphasis.put(sign)
        if ready:
            delayed.difference_update(ready)
            if self._emphasis.restyle():
                self._rows.redraw()

    def _expire(self) -> None:
        """Give up brackets that were held for a row."""
        while self._brackets and not self._fits(self._brackets[0]):
            self._fail(self._brackets[0])

    def _fits(self, bracket: Bracket) -> bool:
        """Say whether what stands behind a bracket is no longer than a row."""
        limit = self._rows.limit
        if self._at - bracket.at <= limit:
            return True
        waiting = self._rows.waiting
        inner = waiting[waiting.index(bracket.piece) + 1 :]
        shown = sum(cells(piece.text) for piece in inner if not piece.style & FAINT)
        return shown <= limit and self._at - bracket.at <= LONGEST


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
