"""The nearest right name for a mistyped one; difflib is imported only when something is wrong."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, right: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the one of `right` that `name` most likely meant, None when none is near.

    Args:
        name: what was written.
        right: the names that would have been right.
        cutoff: least likeness, 0 to 1, by difflib's measure.
    """
    from difflib import get_close_matches

    folded = {known.lower().replace("_", "-"): known for known in right}
    close = get_close_matches(name.lower().replace("_", "-"), folded, 1, cutoff)
    return folded[close[0]] if close else None


def did_you_mean(name: str, right: Iterable[str]) -> str:
    """Return ``; did you mean "x"?`` to end a sentence with, or nothing when no name is near."""
    close = nearest(name, right)
    return f'; did you mean "{close}"?' if close else ""


def quoted(name: str) -> str:
    """Return a name that a file or a command line brought, short and without control characters."""
    shown = "".join(c if c.isprintable() else "?" for c in name)
    return f'"{shown if len(shown) <= 60 else shown[:57] + "..."}"'
