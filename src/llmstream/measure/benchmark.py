"""Measure models from Python: the functions behind `llmstream bench`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from llmstream.errors import UsageError
from llmstream.measure.figures import LATENCIES, Figures, figures
from llmstream.measure.load import Ask, Load, run
from llmstream.measure.prompts import DEFAULT, made_up
from llmstream.measure.samples import Sample
from llmstream.prompt import Message, Prompt
from llmstream.record import replace
from llmstream.runnable.blocking import result
from llmstream.runnable.calls import abatches
from llmstream.runnable.plan import Plan
from llmstream.runnable.runs import AsyncBatches

if TYPE_CHECKING:
    from llmstream.runnable.llm import LLM
    from llmstream.runnable.prompts import PromptLike


def bench(
    models: str | LLM | Sequence[str | LLM],
    prompt: PromptLike | None = None,
    *,
    requests: int | None = None,
    concurrency: int = 1,
    rate: float | None = None,
    duration: float | None = None,
    warmup: int = 1,
    prompt_tokens: int | None = None,
    seed: int = 0,
    limits: Mapping[str, float] | None = None,
    interleave: bool = False,
    **options: object,
) -> list[Figures]:
    """Put load on models and return the figures of each, in order; failed requests are counted, not raised.

    Requests are sent without retries, and without an LLM's fallbacks and rivals.

    Args:
        models: PROVIDER/MODEL, PROVIDER, an alias, an LLM, or several of these.
        prompt: the prompt; None for a built-in one, or with `prompt_tokens` for generated words only.
        requests: number of measured requests to each model; None for 20, or for no limit with `duration`.
        concurrency: number of requests in flight.
        rate: average requests per second, sent when due however many are in flight; `concurrency` is
            then ignored.
        duration: seconds after which no more requests are sent.
        warmup: requests to each model before the measured ones, one after the other.
        prompt_tokens: approximate number of tokens of generated words to add to each prompt; each request
            has its own words.
        seed: seed of the arrival times and the generated words.
        limits: seconds for any of ttft, itl, e2e and tpot; the goodput counts requests within them.
        interleave: alternate between the models instead of measuring one after the other; they then
            share `concurrency`, `rate` and `duration`.
        options: options of each request, as for `LLM`.

    Raises:
        ConfigError: a model is unknown or has no key.
        UsageError: an argument is invalid.
    """
    return result(
        abench(
            models,
            prompt,
            requests=requests,
            concurrency=concurrency,
            rate=rate,
            duration=duration,
            warmup=warmup,
            prompt_tokens=prompt_tokens,
            seed=seed,
            limits=limits,
            interleave=interleave,
            **options,
        )
    )


async def abench(
    models: str | LLM | Sequence[str | LLM],
    prompt: PromptLike | None = None,
    *,
    requests: int | None = None,
    concurrency: int = 1,
    rate: float | None = None,
    duration: float | None = None,
    warmup: int = 1,
    prompt_tokens: int | None = None,
    seed: int = 0,
    limits: Mapping[str, float] | None = None,
    interleave: bool = False,
    **options: object,
) -> list[Figures]:
    """Do the same as `bench` on the running event loop; cancelling it ends all requests."""
    from llmstream.runnable.llm import LLM

    load = Load(requests, concurrency, rate, duration, warmup, seed, interleave).checked()
    unknown = sorted(set(limits or {}) - set(LATENCIES))
    if unknown:
        raise UsageError(f"unknown limit {unknown[0]!r}", hint=f"limits: {', '.join(LATENCIES)}")
    given = [models] if isinstance(models, str | LLM) else models
    asked = [one if isinstance(one, LLM) else LLM(one) for one in given]
    if prompt_tokens is not None and prompt_tokens < 1:
        raise UsageError(f"prompt_tokens must be at least 1, not {prompt_tokens}")
    # an empty prompt, for generated words only
    alone = Prompt((Message("user", ""),)) if prompt_tokens else DEFAULT
    plans = [one.plan(alone if prompt is None else prompt, dict(options)) for one in asked]
    samples: list[list[Sample]] = [[] for _ in plans]
    await measure(plans, load, samples, words_for(prompt_tokens, seed))
    return [of(plan, found, limits) for plan, found in zip(plans, samples, strict=True)]


def words_for(tokens: int | None, seed: int) -> Callable[[int], str] | None:
    """Return a function from a request's number to its generated words; None if `tokens` is None."""
    return None if tokens is None else lambda number: made_up(tokens, seed, number)


async def measure(
    plans: Sequence[Plan],
    load: Load,
    samples: Sequence[list[Sample]],
    words: Callable[[int], str] | None = None,
) -> None:
    """Put load on the first model of each plan, without retries, fallbacks or rivals.

    Args:
        plans: one plan for each model.
        load: the load on each model.
        samples: a list for each plan; measured requests are appended as they end.
        words: returns the words to append to the plan's prompt for the request with this number.
    """
    await run([_ask(_once(plan), words) for plan in plans], load, samples)


def of(plan: Plan, samples: Sequence[Sample], limits: Mapping[str, float] | None = None) -> Figures:
    """Return the figures of a plan's first model; the other arguments are those of `figures`."""
    endpoint = plan.targets[0].endpoint
    return figures(endpoint.provider, endpoint.model, samples, limits)


def _once(plan: Plan) -> Plan:
    """Return the plan without retries, fallbacks and rivals: one request to one model."""
    target = plan.targets[0]
    return replace(plan, targets=[replace(target, policy=replace(target.policy, max_retries=0))], rivals=())


def _ask(plan: Plan, words: Callable[[int], str] | None) -> Ask:
    def ask(number: int) -> AsyncBatches:
        one = plan if words is None else replace(plan, prompt=_longer(plan.prompt, words(number)))
        return abatches(one)

    return ask


def _longer(prompt: Prompt, words: str) -> Prompt:
    """Return a prompt with words appended to its last message."""
    *before, last = prompt.messages
    content = f"{last.content}\n\n{words}" if last.content else words
    return Prompt((*before, replace(last, content=content)))
