"""`llmstream compare`: ask several models at once; show each answer, or only the first to start."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from llmstream.cli.exits import Exit, status_of
from llmstream.cli.running.asked import full_name, listed, overrides_of, planned, settings_of
from llmstream.cli.running.fetching import Fetching
from llmstream.cli.running.outputs import outputs
from llmstream.cli.running.pump import LAST_WORDS, Run
from llmstream.cli.running.stage import Lane, Stage, stage_for
from llmstream.cli.signals import Interrupted, Signals
from llmstream.errors import Cancelled, UsageError
from llmstream.record import replace
from llmstream.runnable.calls import abatches
from llmstream.runnable.together import Together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.render.base import Sink
    from llmstream.runnable.plan import Plan


def run(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Compare models; return exit status 0 if any answered, else that of the first model's failure."""
    fetching = Fetching(environment)
    if values.get("race"):
        return _race(values, words, environment, fetching)
    began = time.monotonic()
    plans = plans_of(values, words, environment, fetching)
    stage = stage_for(values, [Lane(plan, began) for plan in plans], environment, began)
    try:
        with asyncio.Runner() as runner:
            try:
                runner.run(_all(plans, stage, environment.signals))
            finally:
                fetching.stop()
        stage.end()
    except Interrupted as interrupt:
        fetching.close()
        environment.out.hurry(LAST_WORDS)
        environment.err.hurry(LAST_WORDS)
        by = "the user" if interrupt.number == 2 else f"signal {interrupt.number}"
        stage.leave(Cancelled(f"stopped by {by}"))
        environment.out.finish()
        return interrupt.status
    errors = [lane.error for lane in stage.lanes]
    first = errors[0]
    return Exit.OK if first is None or None in errors else status_of(first)


async def _all(plans: Sequence[Plan], stage: Stage, signals: Signals) -> None:
    async with Together([partial(abatches, plan) for plan in plans]) as runs:
        async for news in runs:
            signals.whole(stage.take, news)


def _race(values: Values, words: Sequence[str], environment: Environment, fetching: Fetching) -> int:
    began = time.monotonic()

    def plan() -> Plan:
        first, *others = plans_of(values, words, environment, fetching)
        return replace(first, rivals=[other.targets for other in others])

    def sinks(made: Plan | None) -> Sink:
        return outputs(values, made, environment, began)

    return Run(environment, fetching, sinks, began).carry_out(plan, asynchronous=True)


def plans_of(
    values: Values, words: Sequence[str], environment: Environment, fetching: Fetching
) -> list[Plan]:
    """Return a plan for each model named by the options, in order.

    Raises:
        UsageError: no model is named.
        LLMStreamError: a model is unknown, or the prompt can't be read; no request was sent.
    """
    specs = listed(values, "model")
    if not specs:
        raise UsageError("no models given", hint="name each model: -m PROVIDER/MODEL")
    environment.check_stdout()
    settings = settings_of(environment, fetching)
    overrides = overrides_of(values)
    # a missing key is a failure of that model only
    targets = [settings.later(full_name(settings, spec, fetching), overrides) for spec in specs]
    first = planned(values, targets[:1], words, environment, fetching, overrides)
    return [replace(first, targets=[target]) for target in targets]
