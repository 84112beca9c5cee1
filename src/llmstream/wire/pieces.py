"""A text built from small pieces, with little more memory than the text itself."""

from __future__ import annotations

from typing import Final

TOGETHER: Final = 1024
"""Number of pieces joined into one, because a short string takes about ten times its length in memory."""


class Pieces:
    """A growing text.

    `size`: its length in characters.
    `count`: number of pieces added.
    """

    __slots__ = ("_joined", "_parts", "count", "size")

    def __init__(self) -> None:
        self.size = self.count = 0
        self._joined: list[str] = []
        self._parts: list[str] = []

    def add(self, piece: str) -> None:
        """Append a piece to the text."""
        self.size += len(piece)
        self.count += 1
        parts = self._parts
        parts.append(piece)
        if len(parts) >= TOGETHER:
            self._joined.append("".join(parts))
            parts.clear()
            if len(self._joined) >= TOGETHER:
                self._joined[:] = ["".join(self._joined)]

    def text(self) -> str:
        """Return the text so far."""
        return "".join([*self._joined, *self._parts])
