"""Several models asked at once, of which the first to give a token goes on and the others are cancelled.

An answer that ends without any token wins only where none of the others gives one.  Failures are told as
warnings while others are under way; when all fail, the first model's error is the race's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from llmstream.engine.effects import Batch
from llmstream.engine.meter import Completion
from llmstream.errors import LLMStreamError, UsageError
from llmstream.events import Fallback, Notice, ReasoningDelta, Start, TextDelta, ToolCallDelta, Winner
from llmstream.record import replace
from llmstream.runnable.blocking import each
from llmstream.runnable.calls import Plan, abatches
from llmstream.runnable.together import News, Together

if TYPE_CHECKING:
    from llmstream.runnable.llm import LLM
    from llmstream.runnable.prompts import PromptLike


def race(models: Sequence[str | LLM], prompt: PromptLike, **options: object) -> Completion:
    """Ask several models at once and return the answer of the first to give a token.

    Args:
        models: PROVIDER/MODEL, PROVIDER, an alias, or an LLM.
        prompt: what is said to each.
        options: of this call, for each.

    Raises:
        LLMStreamError: all failed: the first model's error; or the winner failed later.
    """
    return _entered(models).invoke(prompt, None, **options)


async def arace(models: Sequence[str | LLM], prompt: PromptLike, **options: object) -> Completion:
    """The same for async; being cancelled ends all requests."""
    return await _entered(models).ainvoke(prompt, None, **options)


def _entered(models: Sequence[str | LLM]) -> LLM:
    from llmstream.runnable.llm import LLM

    if not models:
        raise UsageError("a race needs at least one model")
    first, *others = (one if isinstance(one, LLM) else LLM(one) for one in models)
    return first.with_race(others)


def batches_of_first(plan: Plan) -> Generator[Batch, None, None]:
    """Run a plan with rivals and yield the winner's events."""
    return each(partial(abatches_of_first, plan))


async def abatches_of_first(plan: Plan) -> AsyncGenerator[Batch, None]:
    """The same on the running event loop."""
    plans = [
        replace(plan, targets=targets, rivals=(), around=None) for targets in (plan.targets, *plan.rivals)
    ]
    lanes = [_Lane(one) for one in plans]
    endpoint = plan.targets[0].endpoint
    # all are asked now: the time to the first token counts from here, whoever gives it
    yield [Start(endpoint.provider, endpoint.model)]
    winner: _Lane | None = None
    async with Together([partial(abatches, one) for one in plans]) as runs:
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
