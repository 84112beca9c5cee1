"""The nearest right name for a mistyped one: few slips of the keyboard, or a beginning.

Ours instead of difflib's, whose likeness finds "vertex" in "rate": a name that is merely similar
sends the user the wrong way.  What counts is how many slips lie between the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

BEGINNING: Final = 4
"""Letters of a beginning that stand for the whole name."""


def slips(written: str, right: str) -> int:
    """Return how many letters were added, left out, replaced or exchanged with their neighbour.

    Source: the optimal string alignment distance, known since Damerau (1964).
    """
    before: list[int] = []
    last = list(range(len(right) + 1))
    for i, letter in enumerate(written, 1):
        row = [i]
        for j, other in enumerate(right, 1):
            least = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and written[i - 2] == other:
                least = min(least, before[j - 2] + 1)
            row.append(least)
        before, last = last, row
    return last[-1]


def allowed(written: str, right: str) -> int:
    """Return how many slips may lie between two names that mean the same."""
    longest = max(len(written), len(right))
    return 1 if longest <= 5 else 2 if longest <= 9 else 3


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")[:80]


def typo_of(name: str, right: Iterable[str]) -> str | None:
    """Return the one of `right` that `name` is a slip of the keyboard away from, None when none is.

    Args:
        name: what was written.
        right: the names that would have been right; of several as near, the first is taken.
    """
    folded = _folded(name)
    best: tuple[int, str] | None = None
    for known in right:
        other = _folded(known)
        most = allowed(folded, other)
        if abs(len(folded) - len(other)) > most:
            continue
        count = slips(folded, other)
        if count <= most and count < len(other) and (best is None or count < best[0]):
            best = (count, known)
    return best[1] if best else None


def nearest(name: str, right: Iterable[str]) -> str | None:
    """Return the one of `right` that `name` most likely meant, None when none is near.

    Args:
        name: what was written: with slips, or only a name's beginning, or a name with more behind it.
        right: the names that would have been right.
    """
    names = list(right)
    close = typo_of(name, names)
    if close is not None:
        return close
    folded = _folded(name)
    for known in names:
        other = _folded(known)
        if min(len(folded), len(other)) >= BEGINNING and (
            other.startswith(folded) or folded.startswith(other)
        ):
            return known
    return None


def did_you_mean(name: str, right: Iterable[str]) -> str:
    """Return ``; did you mean "x"?`` to end a sentence with, or nothing when no name is near."""
    close = nearest(name, right)
    return f'; did you mean "{close}"?' if close else ""


def quoted(name: str) -> str:
    """Return a name that a file or a command line brought, short and without control characters."""
    shown = "".join(c if c.isprintable() else "?" for c in name)
    return f'"{shown if len(shown) <= 60 else shown[:57] + "..."}"'
