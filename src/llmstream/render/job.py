"""Progress of a batch: one row that is redrawn on a terminal, a line at intervals elsewhere.

The row never hides the cursor and is redrawn with only CR and erase-in-line, so that the terminal is left
usable however the run ends.  rich is imported when the first bar is drawn.
"""

from __future__ import annotations

import os
from collections import deque
from typing import Final

from llmstream.jobs.tally import Tally
from llmstream.render.base import Writer, encode
from llmstream.render.guard import one_line
from llmstream.render.notes import dimmed

ROW_EVERY: Final = 0.2
"""Seconds between two redraws of the row."""
LINE_EVERY: Final = 10.0
"""Seconds between two lines."""
SPAN: Final = 10.0
"""Seconds over which the displayed speed is averaged."""
NARROWEST_BAR: Final = 8
ERASE: Final = b"\r\x1b[K"


class Quiet:
    """Shows nothing."""

    every = 3600.0

    def show(self, tally: Tally) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Lines:
    """Writes a line each time `show` is called, which should be `every` seconds."""

    every = LINE_EVERY

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._speed = _Speed()

    def show(self, tally: Tally) -> None:
        """Write a line with the counts and the speed."""
        self._writer.write(encode(f"llmstream: {', '.join(_parts(tally, self._speed))}\n"))

    def close(self) -> None:
        """Do nothing."""


class Bar:
    """Draws one row on a terminal.

    Args:
        writer: the terminal.
        color: whether the row may have colours.
    """

    every = ROW_EVERY

    def __init__(self, writer: Writer, *, color: bool) -> None:
        self._writer = writer
        self._color = color
        self._speed = _Speed()
        self._drawn = False

    def show(self, tally: Tally) -> None:
        """Redraw the row."""
        try:
            columns = os.get_terminal_size(self._writer.fd).columns
        except OSError:
            columns = 80
        text = "  ".join(_parts(tally, self._speed))[: columns - 1]
        room = min(30, columns - len(text) - 3)
        bar = ""
        if tally.total and room >= NARROWEST_BAR:
            bar = self._bar(tally.before + tally.ended, tally.total, room) + " "
        self._drawn = True
        self._writer.write(b"\r" + encode(bar + text) + b"\x1b[K")

    def _bar(self, done: int, total: int, width: int) -> str:
        from io import StringIO

        from rich.console import Console
        from rich.progress_bar import ProgressBar

        file = StringIO()
        console = Console(
            file=file,
            width=width,
            force_terminal=self._color,
            color_system="standard" if self._color else None,
            legacy_windows=False,
        )
        console.print(ProgressBar(total=total, completed=done, width=width), end="")
        return file.getvalue().rstrip("\n")

    def close(self) -> None:
        """Erase the row."""
        if self._drawn:
            self._writer.write(ERASE)


class _Speed:
    """Answers and output tokens per second, averaged over the last SPAN seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque([(0.0, 0, 0)])

    def of(self, tally: Tally) -> tuple[float, float]:
        """Return answers and output tokens per second."""
        now = tally.seconds
        self._seen.append((now, tally.ended, tally.output_tokens))
        while len(self._seen) > 2 and now - self._seen[0][0] > SPAN:
            self._seen.popleft()
        then, ended, tokens = self._seen[0]
        span = max(now - then, 0.001)
        return (tally.ended - ended) / span, (tally.output_tokens - tokens) / span


def _parts(tally: Tally, speed: _Speed) -> list[str]:
    answers, tokens = speed.of(tally)
    done = tally.before + tally.ended
    parts = [f"{done}/{tally.total} done" if tally.total is not None else f"{done} done"]
    parts.append(f"{tally.failed} failed")
    parts.append(f"{_figure(answers)} answers/s")
    parts.append(f"{_figure(tokens)} tokens/s")
    if tally.left is not None and answers > 0:
        parts.append(f"{_span(tally.left / answers)} left")
    if tally.cost is not None:
        parts.append(f"${tally.cost:.2f}")
    return parts


def summary(tally: Tally, *, output: str | None, color: bool = False, whole: bool = True) -> bytes:
    """Return the summary lines of a job that has ended.

    Args:
        tally: the job's counts.
        output: the results file's name, None if the answers went to standard output.
        color: whether the lines may be dim.
        whole: whether the job reached the end of its input.
    """
    seconds = max(tally.seconds, 0.001)
    rate = tally.answered / seconds
    done = f"{tally.answered} answered, {tally.failed} failed in {_span(seconds)} ({_figure(rate)} answers/s)"
    if not tally.ended:
        done = "stopped before the first answer"
        if whole:
            done = "nothing left to run" if tally.before else "the input has no prompts"
    if tally.before:
        done += f"; {tally.before} already answered in {output}"
    lines = [done]
    if tally.input_tokens or tally.output_tokens:
        spent = f"{tally.input_tokens} tokens in, {tally.output_tokens} out"
        lines[0] += f"; {spent}" + (f"; ${tally.cost:.4f}" if tally.cost is not None else "")
    if tally.ended > 1:
        slow = ", ".join(f"{one_line(name)[:40]} ({took:.1f} s)" for took, name in tally.slowest)
        lines.append(f"slowest: {slow}")
    if tally.failed:
        kinds = ", ".join(f"{count} x {kind}" for kind, count in tally.kinds.most_common(5))
        lines.append(f"failures: {kinds}")
        lines.append(f"for example {next(iter(tally.examples.values()))}"[:300])
        if output:
            lines.append("to retry those that failed, run the same command again")
    first, *more = lines
    text = [f"llmstream: {one_line(first)}", *(f"  {one_line(line)}" for line in more)]
    return b"".join(dimmed(line, color) for line in text)


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == 0 else f"{value:.1f}"


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
