"""`race` and `arace`: ask several models at once; the first to yield a token continues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmstream.engine.meter import Completion
from llmstream.errors import UsageError

if TYPE_CHECKING:
    from llmstream.runnable.llm import LLM
    from llmstream.runnable.prompts import PromptLike


def race(models: Sequence[str | LLM], prompt: PromptLike, **options: object) -> Completion:
    """Ask several models at once and return the answer of the first to yield a token.

    Args:
        models: PROVIDER/MODEL, PROVIDER, an alias, or an LLM.
        prompt: the prompt for each.
        options: options of this call, for each.

    Raises:
        LLMStreamError: all models failed (the first one's error), or the winner failed later.
        UsageError: an argument is invalid, or there are no models.
    """
    return _entered(models).invoke(prompt, None, **options)


async def arace(models: Sequence[str | LLM], prompt: PromptLike, **options: object) -> Completion:
    """Do the same as `race`, for asyncio; cancelling it ends all requests."""
    return await _entered(models).ainvoke(prompt, None, **options)


def _entered(models: Sequence[str | LLM]) -> LLM:
    from llmstream.runnable.llm import LLM

    if not models:
        raise UsageError("a race needs at least one model")
    first, *others = (one if isinstance(one, LLM) else LLM(one) for one in models)
    return first.with_race(others)
