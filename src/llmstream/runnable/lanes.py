"""Race several models: the first to yield a token continues, the others are cancelled.

An answer without any token wins only if no other yields one. Failures are reported as warnings while
others are running; if all fail, the first model's error is raised.
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
        plan: the plan.
        run: runs the plan of each model.
    """
    return each(partial(abatches_of_first, plan, run))


async def abatches_of_first(plan: Plan, run: Runs) -> AsyncGenerator[Batch, None]:
    """Do the same on the running event loop."""
    plans = [
        replace(plan, targets=targets, rivals=(), around=None) for targets in (plan.targets, *plan.rivals)
    ]
    lanes = [_Lane(one) for one in plans]
    endpoint = plan.targets[0].endpoint
    # all requests start now, so each model's time to the first token counts from here
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
    """One model in the race, and its events before the winner is known."""

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
        """Keep the events, and return whether they include a token."""
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
        """Return the warning about a model that failed while others were running."""
        return Notice(f"{self.name} failed: {self.error.message if self.error else ''}")

    def opening(self, lanes: Sequence[_Lane]) -> list[Batch]:
        """Return the winner's first events."""
        if self.error is not None:
            return self._held
        first = lanes[0]
        cancelled = tuple(lane.name for lane in lanes if lane is not self and not lane.ended)
        told: Batch = [first.failure()] if first.error is not None else []
        return [[*told, Winner(self.provider, self.model, cancelled)], *self._held]


def _without_token(lanes: Sequence[_Lane]) -> _Lane:
    """Return the winner if no model yielded a token: the first that didn't fail, else the first of all."""
    return next((lane for lane in lanes if lane.error is None), lanes[0])


def _is_token(event: object) -> bool:
    if isinstance(event, TextDelta | ReasoningDelta):
        return bool(event.text)
    return isinstance(event, ToolCallDelta)
