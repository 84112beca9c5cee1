"""Attributes, colours and links as escape sequences.

Colours are those of the terminal's own palette, which suit any background.
"""

from __future__ import annotations

from typing import Final

BOLD, ITALIC, STRIKE, CODE, HEADING, TITLE, LINK, FAINT = (1 << bit for bit in range(8))
"""Text styles, as bits; TITLE is for headings of level 1, FAINT for text that the answer doesn't have."""
RESET: Final = "\x1b[0m"
ATTRIBUTES: Final = ((BOLD | HEADING, "1"), (FAINT, "2"), (ITALIC, "3"), (LINK | TITLE, "4"), (STRIKE, "9"))
COLOURS: Final = ((CODE, "36"), (HEADING, "35"))


class Ink:
    """Turns styles into escape sequences.

    Args:
        colours: number of colours to use: 0, 16 or 256.
        theme: name of the Pygments style for code with 256 colours; empty for the terminal's palette.
    """

    def __init__(self, colours: int = 16, theme: str = "") -> None:
        self.colours = colours
        self.theme = theme
        self._made: dict[tuple[int, int], str] = {}

    def change(self, old: tuple[int, str], new: tuple[int, str]) -> str:
        """Return the sequences that switch from one pen to another, each a style and a link's URL or ""."""
        (style, address), (wanted, link) = old, new
        made = self._made.get((style, wanted))
        if made is None:
            made = self._made[style, wanted] = self._sequence(style, wanted)
        if address != link:
            made += f"\x1b]8;;{link}\x1b\\"
        return made

    def text(self, text: str, style: int) -> str:
        """Return a text in a style, followed by a reset of all attributes."""
        return f"{self._sequence(0, style)}{text}{RESET}" if self._codes(style) else text

    def _sequence(self, old: int, new: int) -> str:
        before, after = self._codes(old), self._codes(new)
        if before == after:
            return ""
        if not after:
            return RESET
        return f"\x1b[{'0;' if before else ''}{after}m"

    def _codes(self, style: int) -> str:
        codes = [code for bits, code in ATTRIBUTES if style & bits]
        if self.colours:
            codes += [code for bits, code in COLOURS if style & bits][:1]
        elif style & CODE and not style & (BOLD | HEADING):
            codes.insert(0, "1")
        return ";".join(codes)
