"""Values as a row of bars: how often each size came, in one line of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BARS: Final = "▁▂▃▄▅▆▇█"


def histogram(values: Sequence[float], width: int) -> str:
    """Return one character a bin, from the smallest value to the largest.

    Args:
        values: at least one.
        width: how many bins of the same size, at least 1.  A bin that has anything is higher than an empty
            one, which is a blank.
    """
    least, most = min(values), max(values)
    step = (most - least) / width
    counts = [0] * width
    for value in values:
        counts[min(int((value - least) / step), width - 1) if step > 0 else 0] += 1
    highest = max(counts)
    return "".join(BARS[-(-n * len(BARS) // highest) - 1] if n else " " for n in counts)


def seconds(value: float | None) -> str:
    """Return a time as people read it: three digits and its unit, ``-`` for none."""
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
    """Return a number of about three digits, ``-`` for none."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
