"""Compare several models' answers to one prompt."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from llmstream.engine.meter import Completion, Meter
from llmstream.errors import LLMStreamError
from llmstream.record import Record
from llmstream.runnable.blocking import result
from llmstream.runnable.calls import abatches
from llmstream.runnable.together import Together

if TYPE_CHECKING:
    from llmstream.runnable.llm import LLM
    from llmstream.runnable.prompts import PromptLike


class Comparison(Record):
    """One model's result in a comparison.

    Args:
        model: the model asked, as PROVIDER/MODEL.
        completion: its answer, or the part received before it failed.
        error: the error, None if it finished.
    """

    model: str
    completion: Completion
    error: LLMStreamError | None = None


def compare(models: Sequence[str | LLM], prompt: PromptLike, **options: object) -> list[Comparison]:
    """Ask several models at once and return the result of each, in order; a failure affects no other.

    Args:
        models: PROVIDER/MODEL, PROVIDER, an alias, or an LLM.
        prompt: the prompt for each.
        options: options of this call, for each.

    Raises:
        ConfigError: a model is unknown or has no key.
        UsageError: the prompt or an option is invalid.
    """
    return result(acompare(models, prompt, **options))


async def acompare(models: Sequence[str | LLM], prompt: PromptLike, **options: object) -> list[Comparison]:
    """Do the same as `compare`, for asyncio; cancelling it ends all requests."""
    from llmstream.runnable.llm import LLM

    asked = [one if isinstance(one, LLM) else LLM(one) for one in models]
    plans = [one.plan(prompt, dict(options)) for one in asked]
    meters = [Meter(time.monotonic()) for _ in plans]
    errors: list[LLMStreamError | None] = [None] * len(plans)
    ended = [0.0] * len(plans)
    async with Together([partial(abatches, plan) for plan in plans]) as runs:
        async for news in runs:
            if news.batch is not None:
                meters[news.place].write(news.batch, news.at)
            else:
                errors[news.place], ended[news.place] = news.error, news.at
    return [
        Comparison(
            f"{plan.targets[0].endpoint.provider}/{plan.targets[0].endpoint.model}",
            meter.completion(at),
            error,
        )
        for plan, meter, error, at in zip(plans, meters, errors, ended, strict=True)
    ]
