"""Compute the number of terminal cells that a text occupies.

Terminals differ in the width of emoji sequences (joiners, selectors, skin tones, flags): some count
each code point, others count the sequence as two cells.  The larger number is used, so that a row
never overflows; a row with such a sequence is only appended to.
"""

from __future__ import annotations

import re
from typing import Final

NARROW: Final = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0377\u0384-\u0482\u048a-\u052f\u1e00-\u1eff"
    "\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u2199\u2500-\u257f\u2400-\u241f\u2421]*"
)
"""Texts in which each character is one cell wide in every version of Unicode."""
WIDE: Final = (
    "\u1100-\u115f\u2e80-\u3029\u3030-\u303e\u3041-\u3098\u309b-\u3247\u3250-\u4dbf\u4e00-\ua4c6\ua960-\ua97c"
    "\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe52\uff01-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
)
"""East Asian characters two cells wide, as the inside of a character class; a row may break next to them."""
SEQUENCE: Final = re.compile(
    "[\u200d\u20e3\ufe0e\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)
"""Finds a character that may be part of an emoji sequence."""


class _Widths(dict[str, int]):
    """Widths of single characters in cells, looked up on first use."""

    def __missing__(self, character: str) -> int:
        from rich.cells import get_character_cell_size

        code = ord(character)
        if code == 0xFE0F:
            # it may widen the preceding character from one cell to two
            size = 1
        elif 0x1F1E6 <= code <= 0x1F1FF or 0x1F3FB <= code <= 0x1F3FF:
            size = 2
        else:
            size = max(0, get_character_cell_size(character))
        self[character] = size
        return size


_widths: Final = _Widths()


def cells(text: str) -> int:
    """Return the most cells that a text without control characters can occupy."""
    if text.isascii() or NARROW.fullmatch(text):
        return len(text)
    return sum(map(_widths.__getitem__, text))


def fitting(text: str, room: int) -> int:
    """Return how many characters of `text` fit into `room` cells, but at least 1.

    For ASCII text it is `room` itself, which may exceed the length of `text`.
    """
    if text.isascii():
        return max(1, room)
    used = 0
    for at, character in enumerate(text):
        used += _widths[character]
        if used > room:
            return max(1, at)
    return len(text)
