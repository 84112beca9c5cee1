"""A signal may come between any two lines of ours: what `--events` printed is whole and agrees with itself."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import pytest

from cli.test_events import ENGINES, events_of, text_of
from fakes.command import Run, in_process
from fakes.fixtures import Fake
from llmstream.cli.signals import Interrupted, Signals

FILES: Final = (
    "/cli/running/pump.py",
    "/render/base.py",
    "/render/jsonl.py",
    "/engine/meter.py",
    "/tracer.py",
)
LOOP: Final = ("/asyncio/base_events.py", "/asyncio/events.py", "/selectors.py")


@pytest.fixture
def signals() -> Iterator[Signals]:
    """The command's handlers, in this process."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    report = sys.unraisablehook
    made = Signals()
    made.install()
    yield made
    sys.unraisablehook = report
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


class Dying:
    """An object at whose end a signal comes, where Python ignores every exception."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_a_signal_where_exceptions_are_ignored_is_raised_after_it(
    signals: Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Interrupted) as interrupt:
        Dying()
        threading.Event().wait(30)
    assert interrupt.value.number == signal.SIGINT
    assert capfd.readouterr() == ("", "")


class Lines:
    """Notes the lines that are run on the way from an event to its printed line.

    Args:
        without: functions that don't count.
        last: the line at which the signal comes, 0 for none.
    """

    def __init__(
        self, without: Sequence[str], last: int = 0, files: tuple[str, ...] = FILES, until: str = ""
    ) -> None:
        self.passed: list[tuple[str, int]] = []
        self._begun = False
        self._without = without
        self._last = last

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        """Note one, as a trace function."""
        name = frame.f_code.co_filename
        if name.endswith(FILES[0]):
            self._begun = self._begun or frame.f_code.co_name == "_open"
        if not (self._begun and name.endswith(FILES)) or frame.f_code.co_name in self._without:
            return None
        if event == "line":
            self._note(frame)
        return self

    def _note(self, frame: FrameType) -> None:
        self.passed.append((frame.f_code.co_filename, frame.f_lineno))
        if len(self.passed) == self._last:
            handler = signal.getsignal(signal.SIGINT)
            assert callable(handler)
            # as if it came at this line, not within this method
            signal.signal(signal.SIGINT, lambda number, _: handler(number, frame))
            try:
                signal.raise_signal(signal.SIGINT)
            finally:
                signal.signal(signal.SIGINT, handler)


class LoopLines(Lines):
    """Notes the lines of the event loop's own code, while it runs and the answer has not been left.

    Args:
        last: the line at which the signal comes, 0 for none.
    """

    def __init__(self, last: int) -> None:
        super().__init__((), last)
        self._left = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        """Note one, as a trace function."""
        name = frame.f_code.co_filename
        self._left = self._left or (frame.f_code.co_name == "aclose" and "/transport/" in name)
        if self._left or not name.endswith(LOOP):
            return None
        if event == "line" and asyncio._get_running_loop() is not None:
            self._note(frame)
        return self


@contextmanager
def _traced(lines: Lines) -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(lines)
    try:
        yield
    finally:
        sys.settrace(before)


@ENGINES
def test_the_lines_agree_wherever_the_signal_comes(fake: Fake, signals: Signals, engine: str) -> None:
    home = fake("code").home
    arguments = (engine, "--events", "--no-history", "Hello")

    def run(lines: Lines) -> Run:
        signals.rearm()
        with _traced(lines):
            return in_process(arguments, b"", home.environment, home.folder, signals)

    # a process that ends need not tidy up a loop that was just being made
    without = ("pump", "_run_on_a_loop") if engine == "--async" else ()
    run(whole := Lines(without))
    # each line once: a later token takes the same way as the first
    numbers = {place: number for number, place in enumerate(whole.passed, 1)}.values()
    assert len(numbers) > 100
    for last in numbers:
        done = run(lines := Lines(without, last))
        events = events_of(done)
        assert events[-1]["data"]["text"] == text_of(events), last
        # how many reads bring the answer differs from run to run
        assert done.status == 130 or len(lines.passed) < last


def test_the_run_ends_wherever_in_the_event_loop_the_signal_comes(fake: Fake, signals: Signals) -> None:
    """A loop that is broken off anywhere in its own code would wait for ever for what it was about to do."""
    home = fake("code").home
    arguments = ("--async", "--no-history", "Hello")

    def run(lines: Lines) -> Run:
        signals.rearm()
        with _traced(lines):
            return in_process(arguments, b"", home.environment, home.folder, signals)

    run(whole := LoopLines(0))
    numbers = {place: number for number, place in enumerate(whole.passed, 1)}.values()
    assert len(numbers) > 40
    for last in numbers:
        done = run(lines := LoopLines(last))
        assert done.status == 130 or len(lines.passed) < last
