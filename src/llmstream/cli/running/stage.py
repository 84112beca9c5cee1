"""Show several concurrent runs: interleaved for machines, one by one for people."""

from __future__ import annotations

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmstream.cli.running.outputs import outputs, report, version_of
from llmstream.engine.meter import Meter
from llmstream.errors import LLMStreamError
from llmstream.events import ReasoningDelta, TextDelta, ToolCallDelta
from llmstream.record import replace
from llmstream.render.base import Sink, encode
from llmstream.render.guard import one_line
from llmstream.tracing.chain import Seat
from llmstream.tracing.tracer import uuid7

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.engine.effects import Batch
    from llmstream.runnable.plan import Plan
    from llmstream.runnable.together import News


class Lane:
    """One model's run.

    Args:
        plan: the run's plan.
        began: when the run started, monotonic seconds.
    """

    def __init__(self, plan: Plan, began: float) -> None:
        endpoint = plan.targets[0].endpoint
        self.plan = plan
        self.name = one_line(f"{endpoint.provider}/{endpoint.model}")
        self.meter = Meter(began, keep_text=False)
        self.sink: Sink | None = None
        self.held: list[tuple[Batch, float]] = []
        self.ended_at: float | None = None
        self.error: LLMStreamError | None = None
        self.begun = False
        self.shown = False

    def take(self, news: News) -> None:
        """Record a batch of events or the end of the run."""
        if news.batch is None:
            self.ended_at, self.error = news.at, news.error
            return
        self.meter.write(news.batch, news.at)
        for event in news.batch:
            text = isinstance(event, TextDelta | ReasoningDelta) and event.text
            self.begun = self.begun or bool(text) or isinstance(event, ToolCallDelta)


class Stage(ABC):
    """Base of the ways to show several runs.

    Args:
        lanes: the runs, in the order in which the models were named.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self.lanes = lanes

    @abstractmethod
    def take(self, news: News) -> None:
        """Show a batch of events or the end of one run."""

    def end(self) -> None:
        """Show what follows after all runs have ended."""
        return

    @abstractmethod
    def leave(self, error: LLMStreamError) -> None:
        """End the runs that are still open, because of `error`."""


def stage_for(values: Values, lanes: Sequence[Lane], environment: Environment, began: float) -> Stage:
    """Return the stage chosen by the options.

    Args:
        values: the options.
        lanes: the runs.
        environment: the streams.
        began: when the runs started, monotonic seconds.
    """
    if values.get("events") or values.get("events_version") or values.get("json"):
        return MachineStage(values, lanes, environment, began)
    return Sections(values, lanes, environment, began)


class MachineStage(Stage):
    """Writes events or objects of all runs as they arrive; the runs have a common parent."""

    def __init__(self, values: Values, lanes: Sequence[Lane], environment: Environment, began: float) -> None:
        super().__init__(lanes)
        self._environment = environment
        seat = Seat(version_of(values), (uuid7(),))
        for lane in lanes:
            lane.sink = outputs(values, lane.plan, environment, began, name=lane.name, seat=seat)
            lane.sink.open(lane.plan, began)

    def take(self, news: News) -> None:
        """Write a batch of events or the end of a run."""
        lane = self.lanes[news.place]
        lane.take(news)
        assert lane.sink is not None
        if news.batch is not None:
            lane.sink.write(news.batch, news.at)
            return
        lane.shown = True
        lane.sink.close(news.error, news.at)
        if news.error is not None:
            _report(lane, news.error, self._environment)

    def leave(self, error: LLMStreamError) -> None:
        """Close the runs that have not ended."""
        for lane in self.lanes:
            if lane.sink is not None and not lane.shown:
                lane.shown = True
                lane.sink.close(error, time.monotonic())


class Sections(Stage):
    """Shows each answer separately under its model's name.

    On a terminal, the first answer to start is shown while it streams, and then the next; elsewhere, the
    answers are in the order in which the models were named, so that scripts get the same order each time.
    """

    def __init__(self, values: Values, lanes: Sequence[Lane], environment: Environment, began: float) -> None:
        super().__init__(lanes)
        self._values = values
        self._environment = environment
        self._began = began
        self._terminal = environment.out.isatty
        self._queue: list[Lane] = [] if self._terminal else list(lanes)

    def take(self, news: News) -> None:
        """Show events of the current run, or keep them until it is that run's turn."""
        lane = self.lanes[news.place]
        lane.take(news)
        if news.batch is not None:
            lane.held.append((news.batch, news.at))
        elif news.error is not None and not self._terminal:
            _report(lane, news.error, self._environment)
        if (lane.begun or lane.ended_at is not None) and not lane.shown and lane not in self._queue:
            self._queue.append(lane)
        while self._queue and self._show(self._queue[0]):
            self._queue.pop(0)

    def _show(self, lane: Lane) -> bool:
        """Show what has arrived of the current run; return whether it has ended."""
        silent = lane.error is not None and not lane.begun and not self._terminal
        if lane.sink is None and (lane.begun or lane.ended_at is not None) and not silent:
            self._environment.out.write(self._heading(lane))
            lane.sink = outputs(self._values, lane.plan, self._environment, self._began, name=lane.name)
            lane.sink.open(lane.plan, self._began)
        if lane.sink is not None:
            held, lane.held = lane.held, []
            for batch, at in held:
                lane.sink.write(batch, at)
        if lane.ended_at is None:
            return False
        lane.shown = True
        if lane.sink is not None:
            lane.sink.close(lane.error, lane.ended_at)
            if lane.error is not None and self._terminal:
                _report(lane, lane.error, self._environment)
            self._environment.out.write(b"\n")
        return True

    def _heading(self, lane: Lane) -> bytes:
        if self._terminal and not self._environment.dumb:
            # NO_COLOR concerns only colours, so bold stays
            return encode(f"\x1b[1m{lane.name}\x1b[0m\n")
        return encode(f"## {lane.name}\n")

    def end(self) -> None:
        """Show the table that compares the runs."""
        if not self._terminal:
            return
        from llmstream.render.table import compared, text_of

        environment = self._environment
        width = shutil.get_terminal_size().columns
        ended = [lane.ended_at or time.monotonic() for lane in self.lanes]
        completions = [
            replace(
                lane.meter.completion(at),
                provider=lane.plan.targets[0].endpoint.provider,
                model=lane.plan.targets[0].endpoint.model,
            )
            for lane, at in zip(self.lanes, ended, strict=True)
        ]
        reasons = [
            one.finish_reason if lane.error is None else "error"
            for lane, one in zip(self.lanes, completions, strict=True)
        ]
        table = text_of(compared(completions, reasons, width), width, color=environment.colored)
        environment.out.write(encode(table))

    def leave(self, error: LLMStreamError) -> None:
        """End the answer that is currently shown."""
        for lane in self.lanes:
            if lane.sink is not None and not lane.shown:
                lane.shown = True
                lane.sink.close(error, time.monotonic())


def _report(lane: Lane, error: LLMStreamError, environment: Environment) -> None:
    """Report which model failed, and why."""
    named = error if lane.name in error.message else _named(lane, error)
    report(named, environment)


def _named(lane: Lane, error: LLMStreamError) -> LLMStreamError:
    from copy import copy

    named = copy(error)
    named.message = f"{lane.name}: {error.message}"
    return named
