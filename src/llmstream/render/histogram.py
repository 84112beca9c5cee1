"""A histogram in one line of text, and numbers for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BARS: Final = "▁▂▃▄▅▆▇█"


def histogram(values: Sequence[float], width: int) -> str:
    """Return one bar character for each bin, from the smallest value to the largest.

    Args:
        values: at least one.
        width: number of bins of equal size, at least 1.  An empty bin is a space, any other a visible bar.
    """
    least, most = min(values), max(values)
    step = (most - least) / width
    counts = [0] * width
    for value in values:
        counts[min(int((value - least) / step), width - 1) if step > 0 else 0] += 1
    highest = max(counts)
    return "".join(BARS[-(-n * len(BARS) // highest) - 1] if n else " " for n in counts)


def seconds(value: float | None) -> str:
    """Return a time, given in seconds, for people: about three digits in s or ms, ``-`` for None."""
    if value is None:
        return "-"
    if value >= 99.95:
        return f"{value:.0f} s"
    if value >= 0.9995:
        return f"{value:.{2 if value < 9.995 else 1}f} s"
    milliseconds = value * 1000
    digits = 2 if milliseconds < 9.995 else 1 if milliseconds < 99.95 else 0
    return f"{milliseconds:.{digits}f} ms"


def figure(value: float | None) -> str:
    """Return a number with about three digits, ``-`` for None."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
