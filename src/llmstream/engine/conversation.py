"""One run as a generator that yields effects and batches of events, and makes all decisions.

How it works:

    converse(calls, clock, jitter) is a generator.  It yields either an *effect* (Prepare, Open,
    Read, Sleep, Close), whose result the driver sends back, or whose error it throws in; or a *batch*:
    a list of events for the caller. It does no I/O, reads time only from `clock`, and is neither sync
    nor async: the two drivers in the floor above carry out its effects and decide nothing.

    The calls (all but the first are fallbacks) are tried in turn, each in one or more attempts. An
    attempt (attempt.py) opens the request, splits the body into wire messages and lets the adapter's
    reader turn these into events. Nothing is retried once a delta was yielded.

    GeneratorExit is never caught; a driver that stops early closes its transport itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llmstream.adapters.base import HttpRequest
from llmstream.engine.attempt import Attempt
from llmstream.engine.effects import NEVER, Batch, Call, Close, Prepare, Reply, Sleep, Steps
from llmstream.engine.policy import LONGEST_OBEYED, pause
from llmstream.errors import Cancelled, LLMStreamError, ProviderError
from llmstream.events import Fallback, Notice, Retry


def converse(calls: Sequence[Prepare], clock: Callable[[], float], jitter: Callable[[], float]) -> Steps:
    """Return the steps of one run.

    Args:
        calls: effects that prepare the call, then its fallbacks.
        clock: monotonic seconds; all deadlines are on this clock.
        jitter: returns random numbers in [0, 1).

    Raises:
        LLMStreamError: the error of the last call tried: no fallback was left, a delta was already yielded,
            the total limit has passed, or the run was cancelled.
    """
    run = Run(clock, jitter)
    failed: LLMStreamError | None = None
    for position, prepare in enumerate(calls):
        call: Reply = None
        try:
            call = yield prepare
            assert isinstance(call, Call)
            if failed is not None:
                yield [Fallback(call.endpoint.provider, call.endpoint.model, failed.message)]
            yield from run.attempts(call)
            return
        except LLMStreamError as error:
            if failed is not None and call is None:
                # the fallback can't be prepared, and the error that made it necessary was not reported yet
                yield [Notice(failed.message)]
            over = run.clock() >= run.total_deadline
            if run.shown or over or position + 1 == len(calls) or isinstance(error, Cancelled):
                raise
            failed = error


class Run:
    """The state that outlives an attempt: whether something was shown, and the total limit."""

    def __init__(self, clock: Callable[[], float], jitter: Callable[[], float]) -> None:
        self.clock = clock
        self.jitter = jitter
        self.began = clock()
        self.shown = False
        self.total_deadline = NEVER

    def attempts(self, call: Call) -> Steps:
        """Try one call until it succeeds, fails for good, or has shown something."""
        if self.total_deadline == NEVER and call.policy.total:
            self.total_deadline = self.began + call.policy.total
        request = call.adapter.request(call.prompt, call.options, call.endpoint, stream=call.stream)
        if request.notices:
            yield [Notice(text) for text in request.notices]
        number, revised = 1, False
        while True:
            attempt = Attempt(call, request, self.clock, self.total_deadline)
            try:
                yield from attempt.steps()
                self.shown = True
                return
            except LLMStreamError as error:
                self.shown = attempt.shown
                yield Close()
                better = None if revised or self.shown else _revise(call, request, error)
                if better is not None:
                    news: Batch = [Notice(text) for text in better.notices if text not in request.notices]
                    if news:
                        yield news
                    request, revised = better, True
                    continue
                wait = self._wait(error, call, number)
                if wait is None:
                    raise
                yield [Retry(number, wait, error.message)]
                yield Sleep(wait)
                number += 1

    def _wait(self, error: LLMStreamError, call: Call, number: int) -> float | None:
        if self.shown or not error.retryable or number > call.policy.max_retries:
            return None
        wait = pause(number, error.retry_after, self.jitter())
        if wait is None:
            error.message += f" (the server asks to wait {error.retry_after:g} s)"
            error.hint = f"llmstream waits at most {LONGEST_OBEYED:g} s; try again later"
        elif self.clock() + wait >= self.total_deadline:
            return None
        return wait


def _revise(call: Call, request: HttpRequest, error: LLMStreamError) -> HttpRequest | None:
    return call.adapter.revise(request, error) if isinstance(error, ProviderError) else None
