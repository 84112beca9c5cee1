"""Find the valid name that a mistyped or shortened one was meant to be.

Used instead of difflib, whose similarity finds "vertex" in "rate" and would mislead the user. Here the
number of typing slips between the two names counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

BEGINNING: Final = 4
"""Minimum length of a start of a name that is recognised as that name."""


def slips(written: str, right: str) -> int:
    """Return how many letters were added, left out, replaced or swapped with a neighbour.

    Source: the optimal string alignment distance, after Damerau (1964).
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
    """Return the maximum number of slips between a mistyped name and the right one."""
    longest = max(len(written), len(right))
    return 1 if longest <= 5 else 2 if longest <= 9 else 3


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")[:80]


def typo_of(name: str, right: Iterable[str]) -> str | None:
    """Return the entry of `right` that `name` is a misspelling of, None if there is none.

    Args:
        name: the text as written.
        right: the valid names; of several equally near ones, the first is returned.
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
    """Return the entry of `right` that `name` most likely means, None if none is near.

    Args:
        name: the text as written: mistyped, the start of a name, or a name with something appended.
        right: the valid names.
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
    """Return ``; did you mean "x"?`` to end a sentence, or "" if no name is near."""
    close = nearest(name, right)
    return f'; did you mean "{close}"?' if close else ""


def quoted(name: str) -> str:
    """Return a name from a file or command line in quotes, shortened and without control characters."""
    shown = "".join(c if c.isprintable() else "?" for c in name)
    return f'"{shown if len(shown) <= 60 else shown[:57] + "..."}"'
