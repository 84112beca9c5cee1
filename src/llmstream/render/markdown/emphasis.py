"""Match asterisks, underscores and tildes while they arrive.

The rules are CommonMark's (0.31, "Emphasis and strong emphasis"), and GitHub's for `~~`.  A delimiter
that can open something takes effect at once; if it turns out to open nothing, or less than assumed,
the style of the pieces after it changes and the open row is redrawn.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from llmstream.render.markdown.ink import BOLD, ITALIC, STRIKE
from llmstream.render.markdown.pieces import Piece
from llmstream.render.markdown.rows import Rows

EM, STRONG, STRUCK = 1, 1 << 20, 1 << 40
"""One open level of each style; a single number counts the levels of all three."""
MASK: Final = (1 << 20) - 1
STYLES: Final = BOLD | ITALIC | STRIKE
DEPTH: Final = 100
"""Maximum number of open delimiters; with more, the oldest stays in effect to the end of the block."""


class Sign(Piece):
    """A run of one delimiter character.

    Args:
        sign: the character.
        count: length of the run.
        opens: whether it can open.
        closes: whether it can close.
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
        """It is waiting for a closing delimiter."""

    @property
    def hoped(self) -> int:
        """Levels that the unmatched characters open, provided that closing delimiters follow."""
        if not self.live:
            return 0
        if self.sign == "~":
            return STRUCK
        return (self.left & 1) * EM + (self.left >> 1) * STRONG

    @property
    def change(self) -> int:
        """Change in the count of open levels at this delimiter."""
        return self.opened - self.closed + self.hoped


def styled(count: int) -> int:
    """Return the style of text at a count of open levels."""
    if not count:
        return 0
    return (
        (ITALIC if count & MASK else 0)
        | (BOLD if count >> 20 & MASK else 0)
        | (STRIKE if count >> 40 & MASK else 0)
    )


def is_punctuation(character: str) -> bool:
    """Return whether CommonMark counts a character as punctuation."""
    if character.isascii():
        return not (character.isalnum() or character <= " " or character == "\x7f")
    return unicodedata.category(character)[0] in "PS"


def flanking(sign: str, before: str, after: str) -> tuple[bool, bool]:
    """Return whether a run of delimiters can open and whether it can close, from its neighbours.

    Args:
        sign: the delimiter character.
        before: the character before the run.
        after: the character after it.
    """
    left = not after.isspace()
    right = not before.isspace()
    if left and is_punctuation(after) and not (before.isspace() or is_punctuation(before)):
        left = False
    if right and is_punctuation(before) and not (after.isspace() or is_punctuation(after)):
        right = False
    if sign != "_":
        return left, right
    # left- and right-flanking means within a word, unless there is punctuation
    return left and (not right or is_punctuation(before)), right and (not left or is_punctuation(after))


class Emphasis:
    """The open delimiters of one block.

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
        """The style of text added next."""

    @property
    def depth(self) -> int:
        """Number of open delimiters."""
        return len(self._open)

    def put(self, sign: Sign, bottom: int = 0) -> bool:
        """Add the next delimiter: close what it matches, and open with what is left of it.

        Args:
            sign: the delimiter, already among the pieces.
            bottom: number of the oldest open delimiters that it must not close, as they are outside a link.

        Returns:
            Whether the style of earlier text has changed.
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
        """Correct the count after a change of `opener`: from it on, or from `sign` if it can't be redrawn."""
        if self._rows.standing(opener):
            sign.closed -= shift
        else:
            self._lost += shift

    def _drop(self, other: Sign, sign: Sign) -> None:
        """Give up an opener that a match has enclosed."""
        hoped = other.hoped
        other.live = False
        if self._rows.standing(other):
            sign.closed += hoped
        else:
            self._lost -= hoped

    def _opener(self, sign: Sign, bottom: int) -> int:
        """Return the index of the opener that `sign` closes, -1 if there is none."""
        stack = self._open
        for at in range(len(stack) - 1, bottom - 1, -1):
            other = stack[at]
            if other.sign != sign.sign:
                continue
            # CommonMark's rules 9 and 10; they never apply to tildes, which occur only in pairs
            both = other.can_close or sign.can_open
            if not both or (other.length + sign.length) % 3 or not (other.length % 3 or sign.length % 3):
                return at
        return -1

    def give_up(self, bottom: int = 0) -> bool:
        """Turn the open delimiters above `bottom` into text where possible; return whether any changed."""
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
        """Update the style of each piece on the open row; return whether a drawn piece has changed."""
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
