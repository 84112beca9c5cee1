"""Carry out a plan: pass events from the engine to the outputs, and handle every way the run may end."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from llmstream.cli.exits import Exit, status_of
from llmstream.cli.running.outputs import report
from llmstream.cli.signals import Interrupted, Signals
from llmstream.errors import Cancelled, LLMStreamError, MissingExtra, RequestRefused
from llmstream.render.base import ReaderGone, Sink
from llmstream.runnable.calls import batches, begun, by_http
from llmstream.runnable.plan import Plan
from llmstream.transport.http.sent import LATER

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.running.fetching import Fetching
    from llmstream.cli.running.talk import Kept
    from llmstream.runnable.runs import AsyncBatches

LAST_WORDS: Final = 1.0
"""Longest wait for a slow reader, in seconds, after the run was told to end."""


class Run:
    """One run: makes a plan, carries it out and ends the outputs whatever happens.

    Args:
        environment: the streams.
        fetching: shows downloads and other long work before the answer.
        sinks: returns the run's sink for a plan, None if no plan could be made.
        began: when the run started, monotonic seconds.
        talk: the run's place in the history, None for a run that has none.
    """

    def __init__(
        self,
        environment: Environment,
        fetching: Fetching,
        sinks: Callable[[Plan | None], Sink],
        began: float,
        talk: Kept | None = None,
    ) -> None:
        self._environment = environment
        self._fetching = fetching
        self._make = sinks
        self._began = began
        self._talk = talk
        self._sink: Sink | None = None
        self._plan: Plan | None = None

    def carry_out(self, plan: Callable[[], Plan], *, asynchronous: bool = False) -> int:
        """Make the plan, run it, and return the exit status.

        Args:
            plan: returns the plan; an error it raises ends the run like any other.
            asynchronous: whether to run on an event loop instead of synchronously.
        """
        environment = self._environment
        try:
            self._plan = plan()
            sink = self._open()
            pump(self._plan, sink, self._fetching, environment.signals, asynchronous=asynchronous)
            environment.signals.whole(sink.close, None, time.monotonic())
        except ReaderGone:
            if self._talk is not None:
                self._talk.reader_gone()
            return Exit.READER_GONE
        except LLMStreamError as error:
            self._fetching.close()
            if self._talk is not None:
                self._talk.explain(error)
            if isinstance(error, MissingExtra | RequestRefused):
                from llmstream.cli.running.ways_out import add_to

                add_to(error, environment)
            return self._failed(error)
        except Interrupted as interrupt:
            self._fetching.close()
            if self._plan is None and interrupt.number == 2 and environment.err.isatty:
                # the terminal shows ^C after what was being typed
                environment.err.write(b"\n")
            environment.out.hurry(LAST_WORDS)
            environment.err.hurry(LAST_WORDS)
            by = "the user" if interrupt.number == 2 else f"signal {interrupt.number}"
            self._failed(Cancelled(f"stopped by {by}"), quiet=True)
            return interrupt.status
        return Exit.OK

    def _open(self) -> Sink:
        sink = self._sink = self._make(self._plan)
        self._environment.signals.whole(sink.open, self._plan, self._began)
        return sink

    def _failed(self, error: LLMStreamError, *, quiet: bool = False) -> int:
        """End the outputs, report the error unless `quiet`, and return the exit status."""
        try:
            (self._sink or self._open()).close(error, time.monotonic())
            self._environment.out.finish()
        except ReaderGone:
            return Exit.READER_GONE
        except LLMStreamError as second:
            error = second
        if not quiet:
            report(error, self._environment)
        return status_of(error)


def pump(plan: Plan, sink: Sink, fetching: Fetching, signals: Signals, *, asynchronous: bool) -> None:
    """Write a plan's events to a sink as they arrive.

    Raises:
        LLMStreamError: the run or an output failed; the sink is left open.
        ReaderGone: the output's reader closed it.
        Interrupted: a signal was received.
    """
    if all(map(by_http, plan.targets)):
        LATER.append(_collect_garbage)
        if asynchronous:
            LATER.append(_load_asyncio)
    else:
        _collect_garbage()
    if asynchronous:
        _run_on_a_loop(plan, sink, fetching, signals)
        return
    running = batches(plan)
    write, clock, whole = sink.write, time.monotonic, signals.whole
    try:
        for batch in running:
            whole(write, batch, clock())
    finally:
        running.close()


def _collect_garbage() -> None:
    """Enable garbage collection, except for the objects made at start-up."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _load_asyncio() -> None:
    """Import asyncio, which takes a third of start-up time, while the server is working."""
    import asyncio as asyncio


def _run_on_a_loop(plan: Plan, sink: Sink, fetching: Fetching, signals: Signals) -> None:
    write, clock, whole = sink.write, time.monotonic, signals.whole
    running = begun(plan, lambda batch: whole(write, batch, clock()))
    try:
        import asyncio

        with asyncio.Runner() as runner:
            try:
                runner.run(_apump(running, sink, signals))
            finally:
                # stop the download, because the runner waits for its threads
                fetching.stop()
    finally:
        running.close()


async def _apump(running: AsyncBatches, sink: Sink, signals: Signals) -> None:
    write, clock, whole = sink.write, time.monotonic, signals.whole
    try:
        async for batch in running:
            whole(write, batch, clock())
    finally:
        await running.aclose()
