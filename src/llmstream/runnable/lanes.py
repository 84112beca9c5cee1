"""Several models asked at once, of which the first to give a token goes on and the others are cancelled.

An answer that ends without any token wins only where none of the others gives one.  Failures are told as
warnings while others are under way; when all fail, the first model's error is the race's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from functools import partial
from typing import TypeAlias

from llmstream.engine.effects import Batch
from llmstream.errors import LLMStreamError
from llmstream.events import Fallback, Notice, ReasoningDelta, Start, TextDelta, ToolCallDelta, Winner
from llmstream.record import replace
from llmstream.runnable.blocking import each
from llmstream.runnable.plan import Plan
from llmstream.runnable.runs import AsyncBatches
from llmstream.runnable.together import News, Together

Runs: TypeAlias = Callable[[Plan], AsyncBatches]
"""Runs a plan without rivals on the running event loop."""


def batches_of_first(plan: Plan, run: Runs) -> Generator[Batch, None, None]:
    """Run a plan with rivals and yield the winner's events.

    Args:
        plan: what is asked of whom.
        run: runs each model's own plan.
    """
    return each(partial(abatches_of_first, plan, run))


async def abatches_of_first(plan: Plan, run: Runs) -> AsyncGenerator[Batch, None]:
    """The same on the running event loop."""
    plans = [
        replace(plan, targets=targets, rivals=(), around=None) for targets in (plan.targets, *plan.rivals)
    ]
    lanes = [_Lane(one) for one in plans]
    endpoint = plan.targets[0].endpoint
    # all are asked now: the time to the first token counts from here, whoever gives it
    yield [Start(endpoint.provider, endpoint.model)]
    winner: _Lane | None = None
    async with Together([partial(run, one) for one in plans]) as runs:
        async for news in runs:
            lane = lanes[news.place]
            if lane.take(news):
                winner = lane
                break
            if lane.error is not None and lane is not lanes[0]:
                yield [lane.failure()]
        winner = winner or _without_token(lanes)
        for place, lane in enumerate(lanes):
            if lane is not winner:
                runs.stop(place)
        for batch in winner.opening(lanes):
            yield batch
        async for news in runs:
            winner.take(news)
            if news.batch is not None:
                yield news.batch
    if winner.error is not None:
        raise winner.error


class _Lane:
    """One model in the race: what has come of it before it is known who wins."""

    def __init__(self, plan: Plan) -> None:
        endpoint = plan.targets[0].endpoint
        self.provider, self.model = endpoint.provider, endpoint.model
        self.ended = False
        self.error: LLMStreamError | None = None
        self._held: list[Batch] = []

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.model}"

    def take(self, news: News) -> bool:
        """Keep what came, and return whether it has a token."""
        if news.batch is None:
            self.ended, self.error = True, news.error
            return False
        for event in news.batch:
            if isinstance(event, Start | Fallback):
                self.provider, self.model = event.provider, event.model
        kept: Batch = [event for event in news.batch if not isinstance(event, Start)]
        if kept:
            self._held.append(kept)
        return any(map(_is_token, news.batch))

    def failure(self) -> Notice:
        """Return what people are told of a model that failed while others were under way."""
        return Notice(f"{self.name} failed: {self.error.message if self.error else ''}")

    def opening(self, lanes: Sequence[_Lane]) -> list[Batch]:
        """Return what the winner of these gives out first."""
        if self.error is not None:
            return self._held
        first = lanes[0]
        cancelled = tuple(lane.name for lane in lanes if lane is not self and not lane.ended)
        told: Batch = [first.failure()] if first.error is not None else []
        return [[*told, Winner(self.provider, self.model, cancelled)], *self._held]


def _without_token(lanes: Sequence[_Lane]) -> _Lane:
    """Return who goes on where nobody gave a token: the first to finish without one, else the first."""
    return next((lane for lane in lanes if lane.error is None), lanes[0])


def _is_token(event: object) -> bool:
    if isinstance(event, TextDelta | ReasoningDelta):
        return bool(event.text)
    return isinstance(event, ToolCallDelta)
