"""Which asterisks, underscores and tildes belong together, decided as they come.

The rules are CommonMark's ("Emphasis and strong emphasis", 0.31), and GitHub's for `~~`.  A sign that
can open something is taken for one at once; when it turns out to be none, or less than it seemed,
the pieces after it get another style, which the open row then shows.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from llmstream.render.markdown.ink import BOLD, ITALIC, STRIKE
from llmstream.render.markdown.pieces import Piece
from llmstream.render.markdown.rows import Rows

EM, STRONG, STRUCK = 1, 1 << 20, 1 << 40
"""One of each in a count of what is open, which holds all three."""
MASK: Final = (1 << 20) - 1
STYLES: Final = BOLD | ITALIC | STRIKE
DEPTH: Final = 100
"""Most signs that can be open at once; the oldest is then left open to the block's end."""


class Sign(Piece):
    """A run of one sign.

    Args:
        sign: the character.
        count: how many.
        opens: it can open.
        closes: it can close.
    """

    __slots__ = ("can_close", "can_open", "closed", "left", "length", "live", "opened", "sign")

    def __init__(self, sign: str, count: int, opens: bool, closes: bool) -> None:
        super().__init__("")
        self.sign = sign
        self.length = self.left = count
        self.can_open = opens
        self.can_close = closes
        self.opened = self.closed = 0
        self.live = False
        """It waits for what closes it."""

    @property
    def hoped(self) -> int:
        """What the signs that are left will open if what closes them comes."""
        if not self.live:
            return 0
        if self.sign == "~":
            return STRUCK
        return (self.left & 1) * EM + (self.left >> 1) * STRONG

    @property
    def change(self) -> int:
        """By how much what is open changes at this sign."""
        return self.opened - self.closed + self.hoped


def styled(count: int) -> int:
    """Return the style of text within what is open."""
    if not count:
        return 0
    return (
        (ITALIC if count & MASK else 0)
        | (BOLD if count >> 20 & MASK else 0)
        | (STRIKE if count >> 40 & MASK else 0)
    )


def is_punctuation(character: str) -> bool:
    """Say whether CommonMark counts a character as punctuation."""
    if character.isascii():
        return not (character.isalnum() or character <= " " or character == "\x7f")
    return unicodedata.category(character)[0] in "PS"


def flanking(sign: str, before: str, after: str) -> tuple[bool, bool]:
    """Return whether a run of signs between two characters can open and close."""
    left = not after.isspace()
    right = not before.isspace()
    if left and is_punctuation(after) and not (before.isspace() or is_punctuation(before)):
        left = False
    if right and is_punctuation(before) and not (after.isspace() or is_punctuation(after)):
        right = False
    if sign != "_":
        return left, right
    # left and right at once is within a word, unless punctuation stands there
    return left and (not right or is_punctuation(before)), right and (not left or is_punctuation(after))


class Emphasis:
    """The signs that are open in one block.

    Args:
        rows: the block's pieces.
        base: the style of all its text.
    """

    def __init__(self, rows: Rows, base: int) -> None:
        self._rows = rows
        self._base = base
        self._open: list[Sign] = []
        self._count = 0
        self._lost = 0
        self.style = base
        """Of what comes next."""

    @property
    def depth(self) -> int:
        """How many signs are open."""
        return len(self._open)

    def put(self, sign: Sign, bottom: int = 0) -> bool:
        """Take the next sign: let it close what is open, and open what is left of it.

        Args:
            sign: among the pieces already.
            bottom: how many open signs lie outside a link and stay so.

        Returns:
            Whether what stands before it is not what it was taken for.
        """
        before = self._count
        self._lost = 0
        wrong = self._close(sign, bottom) if sign.can_close else False
        if sign.left and sign.can_open:
            sign.live = True
            self._open.append(sign)
            if len(self._open) > DEPTH:
                del self._open[0]
        self._count = before + sign.change + self._lost
        self.style = self._base | styled(self._count)
        if not sign.live:
            sign.text = sign.sign * sign.left
            sign.style = self.style
        return wrong

    def _close(self, sign: Sign, bottom: int) -> bool:
        stack = self._open
        wrong = False
        while sign.left:
            at = self._opener(sign, bottom)
            if at < 0:
                break
            opener = stack[at]
            if at != len(stack) - 1:
                wrong = True
                for other in stack[at + 1 :]:
                    self._drop(other, sign)
                del stack[at + 1 :]
            used = 2 if opener.left >= 2 and sign.left >= 2 else 1
            bit = STRUCK if sign.sign == "~" else STRONG if used == 2 else EM
            hoped = opener.change
            opener.left -= used
            opener.opened += bit
            sign.left -= used
            sign.closed += bit
            if not opener.left:
                opener.live = False
                stack.pop()
            shift = opener.change - hoped
            if shift:
                wrong = True
                self._moved(opener, shift, sign)
        return wrong

    def _moved(self, opener: Sign, shift: int, sign: Sign) -> None:
        """Count what an opener now opens less: from itself on, or from `sign` on where it stands for good."""
        if self._rows.standing(opener):
            sign.closed -= shift
        else:
            self._lost += shift

    def _drop(self, other: Sign, sign: Sign) -> None:
        """Give up an opener that something closed across."""
        hoped = other.hoped
        other.live = False
        if self._rows.standing(other):
            sign.closed += hoped
        else:
            self._lost -= hoped

    def _opener(self, sign: Sign, bottom: int) -> int:
        """Return the place of what `sign` closes, -1 if there is none."""
        stack = self._open
        for at in range(len(stack) - 1, bottom - 1, -1):
            other = stack[at]
            if other.sign != sign.sign:
                continue
            # CommonMark's rules 9 and 10; tildes come in twos only, so they are never met
            both = other.can_close or sign.can_open
            if not both or (other.length + sign.length) % 3 or not (other.length % 3 or sign.length % 3):
                return at
        return -1

    def give_up(self, bottom: int = 0) -> bool:
        """Let the open signs above `bottom` stand as text where they still can; True if any does."""
        wrong = False
        for sign in self._open[bottom:]:
            if not self._rows.standing(sign):
                self._count -= sign.hoped
                sign.live = False
                wrong = True
        del self._open[bottom:]
        self.style = self._base | styled(self._count)
        return wrong

    def restyle(self) -> bool:
        """Give each piece of the open row the style it has now; True if one that is drawn changes."""
        rows = self._rows
        pieces = rows.waiting if rows.fixed else rows.drawn + rows.waiting
        count = self._count - sum(piece.change for piece in pieces if isinstance(piece, Sign))
        changed = False
        for piece in pieces:
            text, style = piece.text, piece.style
            if isinstance(piece, Sign):
                text = "" if piece.live else piece.sign * piece.left
                if piece.closed:
                    count += piece.change
                    style = self._base | styled(count)
                else:
                    style = self._base | styled(count)
                    count += piece.change
            else:
                style = style & ~STYLES | self._base & STYLES | styled(count)
            if (text != piece.text or (style != piece.style and text)) and piece.row >= 0:
                changed = True
            piece.text, piece.style = text, style
        return changed
