"""How a batch is shown: a row on a terminal, a line now and then elsewhere, a summary at the end."""

from __future__ import annotations

import os
import re
import select
import tempfile
from collections.abc import Callable

import pytest

from llmstream.engine.meter import Completion, Timing
from llmstream.errors import LLMStreamError, RequestRefused
from llmstream.events import Usage
from llmstream.jobs.tally import Tally
from llmstream.render.base import Writer
from llmstream.render.job import Bar, Lines, Quiet, summary


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def counted(
    outcomes: int = 0,
    *,
    total: int | None = None,
    before: int = 0,
    seconds: float = 10.0,
    cost: float | None = None,
) -> Tally:
    """Return counts of a job that answered so many, each with 10 tokens of 5 s."""
    clock = Clock()
    tally = Tally(clock, total, before)
    for number in range(outcomes):
        tally.add(f"q{number}", answer(cost), None)
    clock.now = seconds
    return tally


def answer(cost: float | None = None, took: float = 5.0) -> Completion:
    return Completion("t", usage=Usage(4, 10, cost=cost), timing=Timing(total=took), provider="p", model="m")


def written(show: Callable[[Writer], None]) -> str:
    with tempfile.TemporaryFile() as file:
        show(Writer(file.fileno()))
        file.seek(0)
        return file.read().decode()


def on_terminal(columns: int, show: Callable[[Writer], None]) -> str:
    """Return what a terminal of so many columns was given."""
    import termios

    ours, theirs = os.openpty()
    try:
        termios.tcsetwinsize(theirs, (24, columns))
        show(Writer(theirs))
        shown = b""
        while select.select([ours], [], [], 0)[0]:
            shown += os.read(ours, 65536)
        return shown.decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("columns", [20, 60, 200])
def test_the_row_fits_the_terminal_and_is_erased_at_the_end(columns: int) -> None:
    def show(writer: Writer) -> None:
        bar = Bar(writer, color=False)
        bar.show(counted(5, total=20, before=5, cost=0.5))
        bar.close()

    drawn, _, rest = on_terminal(columns, show).removeprefix("\r").partition("\x1b[K")
    assert len(drawn) < columns
    assert drawn.strip("━╸╺ ").startswith("10/20 done")
    assert ("━" in drawn) is (columns == 200)
    assert rest == "\r\x1b[K"


def test_the_row_has_colours_only_where_they_are_wanted() -> None:
    def drawn(color: bool) -> str:
        return written(lambda writer: Bar(writer, color=color).show(counted(5, total=10, seconds=1.0)))

    assert re.search(r"\x1b\[[\d;]+m", drawn(True))
    assert not re.search(r"\x1b\[[\d;]*m", drawn(False))


def test_a_row_that_was_never_drawn_is_not_erased() -> None:
    assert written(lambda writer: Bar(writer, color=False).close()) == ""


def test_a_line_says_speed_time_left_and_spend() -> None:
    def show(writer: Writer) -> None:
        lines = Lines(writer)
        lines.show(counted(20, total=4000, seconds=10.0, cost=0.01))
        lines.close()

    assert written(show) == (
        "llmstream: 20/4000 done, 0 failed, 2.0 answers/s, 20 tokens/s, 33:10 left, $0.20\n"
    )


def test_of_an_input_that_is_read_once_no_end_is_foretold() -> None:
    said = written(lambda writer: Lines(writer).show(counted(3)))
    assert said.startswith("llmstream: 3 done,")
    assert "left" not in said


def test_the_speed_is_that_of_the_last_seconds() -> None:
    tally = counted(0, total=1000, seconds=0.0)
    clock = tally.clock
    assert isinstance(clock, Clock)

    def show(writer: Writer) -> None:
        lines = Lines(writer)
        for second in range(0, 60, 5):
            clock.now = float(second)
            for number in range(50 if second < 30 else 5):
                tally.add(f"{second} {number}", answer(), None)
            lines.show(tally)

    assert written(show).splitlines()[-1].split(", ")[2] == "1.0 answers/s"


def test_before_the_first_answer_no_time_left_is_guessed() -> None:
    said = written(lambda writer: Lines(writer).show(counted(0, total=9)))
    assert said == "llmstream: 0/9 done, 0 failed, 0 answers/s, 0 tokens/s\n"


def test_quiet_shows_nothing() -> None:
    quiet = Quiet()
    quiet.show(counted(1))
    quiet.close()
    assert quiet.every > 60


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0, "0.0 s"), (9.94, "9.9 s"), (42.0, "42 s"), (75.0, "1:15"), (3725.0, "1:02:05")],
)
def test_the_summary_says_how_long_it_took(seconds: float, said: str) -> None:
    assert f"in {said} (" in summary(counted(1, seconds=seconds), output=None).decode()


def test_the_summary_names_the_slowest_the_kinds_of_failure_and_an_example() -> None:
    tally = counted(1, before=7, cost=0.25)
    failures: list[LLMStreamError] = [RequestRefused("too \x1b[31mlong", status=400), LLMStreamError("odd")]
    for number, error in enumerate([*failures, failures[0]]):
        tally.add(f"bad{number}", answer(took=number), error)
    first, *more = summary(tally, output="out.jsonl").decode().splitlines()
    assert first == (
        "llmstream: 1 answered, 3 failed in 10 s (0.1 answers/s); 7 already answered in out.jsonl; "
        "16 tokens in, 40 out; $0.2500"
    )
    assert more[0] == "  slowest: q0 (5.0 s), bad2 (2.0 s), bad1 (1.0 s)"
    assert more[1] == "  failures: 2 x RequestRefused 400, 1 x LLMStreamError"
    assert more[2].startswith("  for example bad0: too ") and "\x1b" not in more[2]
    assert more[3] == "  to retry those that failed, run the same command again"


def test_the_summary_of_nothing_is_one_line() -> None:
    assert summary(counted(before=3), output="f").decode() == (
        "llmstream: nothing left to run; 3 already answered in f\n"
    )
    assert summary(counted(), output="f") == b"llmstream: the input has no prompts\n"
