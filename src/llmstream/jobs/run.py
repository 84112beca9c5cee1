"""Ask many prompts at once, with a number of workers that each ask one after another.

A worker takes the next question, waits for its provider's limiter, asks once through the engine, and
passes on the outcome. Retries are decided here and not in the engine, so that they pass the limiter as
well. There is no task or queue per answer.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from llmstream.engine.meter import Completion, Meter
from llmstream.engine.policy import LONGEST_OBEYED, pause
from llmstream.errors import (
    AuthenticationError,
    LLMStreamError,
    RequestRefused,
    Unavailable,
)
from llmstream.jobs.answers import NOTHING
from llmstream.jobs.feeds import Feed
from llmstream.jobs.inputs import Ask, tokens_of
from llmstream.jobs.keys import bytes_key
from llmstream.jobs.limiter import Gate
from llmstream.jobs.lines import Line
from llmstream.jobs.rows import BadRow
from llmstream.jobs.tally import Tally
from llmstream.record import Record, replace
from llmstream.runnable.plan import Plan
from llmstream.runnable.targets import Target

RATE_REFUSALS: Final = 10
"""Number of a prompt's 429 refusals, while others are answered, from which each counts as a retry."""
OVERLOAD: Final = frozenset({429, 503, 529})
UNKNOWN_MODEL: Final = re.compile(
    r"model.{0,80}(not (be )?found|not exist|unknown|invalid|not supported|not a valid)|"
    r"(unknown|invalid) model",
    re.IGNORECASE | re.DOTALL,
)


Emit: TypeAlias = Callable[[Ask | BadRow, int, Completion, LLMStreamError | None], None]
"""Receives the outcome of one prompt: the question, its key, the answer, and the error, if any."""


class Settings(Record):
    """The settings of a job.

    Args:
        jobs: most concurrent requests.
        max_failures: failures after which no more prompts are asked, 0 for no limit.
        stream: False requests whole answers.
    """

    jobs: int
    max_failures: int = 0
    stream: bool = True


class Stopped(Exception):
    """The job has ended; this prompt is left for the next run."""


class Job:
    """One run of a job on the running event loop.

    Args:
        feed: the questions.
        emit: called with each outcome.
        tally: the counts, kept up to date.
        settings: concurrency, and when to stop.
        limiter: makes the limiter of a provider's target.
        give_back: called with questions that were taken but not asked.

    `ended_by` is the error that ended the job before its last prompt, None if there was none.
    """

    def __init__(
        self,
        feed: Feed,
        emit: Emit,
        tally: Tally,
        settings: Settings,
        limiter: Callable[[Target], Gate],
        give_back: Callable[[Ask], None] = lambda ask: None,
    ) -> None:
        self.ended_by: LLMStreamError | None = None
        self.ending = False
        self._feed = feed
        self._emit = emit
        self._tally = tally
        self._settings = settings
        self._make_limiter = limiter
        self._limiters: dict[str, Gate] = {}
        self._once_each: dict[int, tuple[Target, Target]] = {}
        self._give_back = give_back
        self._clock = asyncio.get_running_loop().time
        self._idle: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Ask all questions.

        Raises:
            Exception: an error of `emit` or of reading the input.
        """
        workers = [asyncio.ensure_future(self._work()) for _ in range(self._settings.jobs)]
        try:
            await _all(workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self) -> None:
        line = Line(self._clock)
        try:
            await self._work_on(line)
        finally:
            await line.aclose()

    async def _work_on(self, line: Line) -> None:
        me = asyncio.current_task()
        assert me is not None
        while not self.ending:
            self._idle.add(me)
            try:
                question = await self._feed.take()
            except asyncio.CancelledError:
                if self.ending:
                    return
                raise
            self._idle.discard(me)
            if question is None:
                return
            if isinstance(question, BadRow):
                self._end_of(question, bytes_key(question.data), NOTHING, question)
                continue
            try:
                completion, error = await self._answer(line, question)
            except Stopped:
                self._give_back(question)
                return
            self._end_of(question, question.key, completion, error)

    def _end_of(
        self, question: Ask | BadRow, key: int, completion: Completion, error: LLMStreamError | None
    ) -> None:
        self._emit(question, key, completion, error)
        self._tally.add(question.name, completion, error)
        if self._settings.max_failures and self._tally.failed >= self._settings.max_failures:
            self.end(None)

    def end(self, reason: LLMStreamError | None) -> None:
        """Take no more questions; those in flight are still answered.

        Args:
            reason: the error that ends the job, None if there were too many failures.
        """
        if not self.ending:
            self.ended_by = reason
        self.ending = True
        for limiter in self._limiters.values():
            limiter.stop()
        # a worker that waits for input might wait for ever
        for worker in self._idle:
            worker.cancel()

    async def _answer(self, line: Line, ask: Ask) -> tuple[Completion, LLMStreamError | None]:
        """Return one question's outcome, from its first target that answers."""
        *earlier, last = ask.targets
        for target in earlier:
            completion, error = await self._tried(line, ask, target, last=False)
            if error is None:
                return completion, None
        return await self._tried(line, ask, last, last=True)

    async def _tried(
        self, line: Line, ask: Ask, target: Target, *, last: bool
    ) -> tuple[Completion, LLMStreamError | None]:
        """Ask one target until it answers or retrying is pointless."""
        limiter = self._limiter(target)
        spent, counted, refusals = 0.0, 0, 0
        while True:
            charged = await limiter.enter(tokens_of(ask.prompt.messages))
            if charged < 0:
                raise Stopped
            began = self._clock()
            completion, error = await self._once(line, ask, target, spent, limiter, charged, began)
            if error is None:
                return completion, None
            spent += self._clock() - began
            overload = _is_overload(error)
            ends = overload and (limiter.hopeless() or (error.retry_after or 0) > LONGEST_OBEYED)
            if last and (ends or _is_hopeless(error, target)):
                self.end(error)
            most = target.policy.max_retries
            if self.ending or ends or not error.retryable or not most:
                return completion, error
            if overload and limiter.last_success < began:
                # all requests are refused, not just this prompt: only the limiter's patience counts
                continue
            if error.status == 429:
                refusals += 1
                if refusals < RATE_REFUSALS:
                    continue
            counted += 1
            if counted > most or (target.policy.total and spent >= target.policy.total):
                return completion, error
            if not overload:
                await asyncio.sleep(pause(counted, error.retry_after, random.random()) or 0.0)  # noqa: S311

    async def _once(
        self,
        line: Line,
        ask: Ask,
        target: Target,
        spent: float,
        limiter: Gate,
        charged: int,
        began: float,
    ) -> tuple[Completion, LLMStreamError | None]:
        """Send one request and return its outcome."""
        plan = Plan((self._asked_once(target, spent),), ask.prompt, ask.options, self._settings.stream)
        clock = self._clock
        meter = Meter(began)
        error: LLMStreamError | None = None
        try:
            await line.ask(plan, meter, limiter)
            limiter.answered(clock())
        except LLMStreamError as failure:
            error = failure
            # before `leave`, so that no other request slips through
            if _is_overload(error):
                limiter.overloaded(began, error.retry_after)
        finally:
            usage = meter.usage
            used = (usage.input_tokens or 0) + (usage.output_tokens or 0)
            limiter.leave(charged, used or None)
        return meter.completion(clock()), error

    def _asked_once(self, target: Target, spent: float) -> Target:
        """Return a target that the engine asks once, within its remaining time."""
        policy = target.policy
        if policy.total and spent:
            limits = replace(policy, max_retries=0, total=max(0.001, policy.total - spent))
            return replace(target, policy=limits)
        # copying a record costs as much as decoding a token
        known = self._once_each.get(id(target))
        if known is None or known[0] is not target:
            once = replace(target, policy=replace(policy, max_retries=0))
            known = self._once_each[id(target)] = (target, once)
        return known[1]

    def _limiter(self, target: Target) -> Gate:
        name = target.endpoint.provider
        limiter = self._limiters.get(name)
        if limiter is None:
            limiter = self._limiters[name] = self._make_limiter(target)
            if self.ending:
                limiter.stop()
        return limiter


async def _all(workers: Sequence[asyncio.Future[None]]) -> None:
    """Wait for all workers, or for the first that fails."""
    done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
    for worker in done:
        worker.result()


def _is_overload(error: LLMStreamError) -> bool:
    if error.status is None:
        return isinstance(error, Unavailable)
    return error.status in OVERLOAD


def _is_hopeless(error: LLMStreamError, target: Target) -> bool:
    """Return whether all other prompts would be refused too, because of the key or the model."""
    if isinstance(error, AuthenticationError):
        return True
    if not isinstance(error, RequestRefused):
        return False
    named = target.endpoint.model in error.message and UNKNOWN_MODEL.search(error.message)
    return error.status == 404 or bool(error.status in (400, 422) and named)
