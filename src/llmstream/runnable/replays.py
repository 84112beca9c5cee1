"""Replay a recording in place of a model, with the recorded times.

Only recorded retries happen: the limits are the recorded ones and, if all models of the run are
recordings, so is the clock.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from copy import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmstream.adapters.base import Adapter
from llmstream.adapters.registry import adapter
from llmstream.adapters.replayed import Replayed
from llmstream.engine.conversation import converse
from llmstream.engine.effects import Batch, Call, Effect, Prepare, Reply, Sleep, Steps
from llmstream.engine.policy import Policy
from llmstream.errors import Cancelled, ConfigError, LLMStreamError, UsageError
from llmstream.events import Retry
from llmstream.prompt import Endpoint, Secret
from llmstream.record import replace
from llmstream.transport.replay import Replay, ReplayRoute
from llmstream.transport.tape.entries import RecordedCall
from llmstream.transport.tape.reader import calls_of

if TYPE_CHECKING:
    from llmstream.prompt import Options
    from llmstream.runnable.plan import Plan
    from llmstream.runnable.targets import Target

SPEED = "speed"
"""The option for a replay's speed, as a factor or ``max``."""
SLOWEST: Final = 0.001
"""Least speed; with a smaller one a wait may be longer than the system can count."""


def speed_of(options: Options) -> float:
    """Return the speed of a replay, infinity for ``max``.

    Raises:
        UsageError: it is neither ``max`` nor a number above 0.
    """
    value = options.extra.get(SPEED, 1)
    if value == "max":
        return math.inf
    try:
        speed = float(value)  # type: ignore[arg-type]  # raises unless it is a number
    except (TypeError, ValueError):
        speed = math.nan
    if 0 < speed < SLOWEST:
        raise UsageError(f'speed must be at least {SLOWEST}, or "max": not {value!r}')
    if isinstance(value, bool) or not (0 < speed < math.inf):
        raise UsageError(f'speed must be a number above 0, or "max": not {value!r}')
    return speed


def steps(plan: Plan, prepare: Callable[[Target], Prepare]) -> Steps:
    """Yield the steps of a run in which at least one model is a recording.

    Args:
        plan: the plan.
        prepare: prepares the call of any other model.

    Raises:
        UsageError: the speed is invalid.
        ConfigError: a recording can't be read, or names an unknown adapter.
        BadMessage: a recording is damaged; events before the damage are yielded first.
    """
    recorded = next(target for target in plan.targets if target.file is not None)
    replay = Replay(speed_of(plan.options.over(recorded.options)))
    prepared: list[Prepare] = []
    for target in plan.targets:
        if target.file is None:
            prepared.append(_live(prepare(target), replay))
            continue
        for position, call in enumerate(calls_of(target.file)):
            prepared.append(Prepare(partial(_call, plan, target, call, replay, first=position == 0)))
    only = all(target.file is not None for target in plan.targets)
    clock: Callable[[], float] = (lambda: replay.now) if only else time.monotonic
    yield from _at_its_own_pace(converse(prepared, clock, random.random), replay)


def dialect(call: RecordedCall) -> Adapter:
    """Return the adapter of a recorded call.

    Raises:
        ConfigError: there is no adapter of that name.
    """
    named = call.attempts[0].request.url.partition("://")[2]
    if call.adapter == "exec":
        from llmstream.adapters.command import Command

        return Command(named)
    if call.adapter == "runnable":
        from llmstream.adapters.foreign import Foreign

        return Foreign(named)
    try:
        return adapter(call.adapter)
    except ConfigError as error:
        error.hint = "the recording's first line names it"
        raise


def adapter_in(file: Path) -> Adapter:
    """Return the adapter of a recording; if it can't be read, another's; the replay raises the error."""
    try:
        first = calls_of(file)[0]
        return Replayed(dialect(first), first.attempts[0].request)
    except LLMStreamError:
        return adapter("openai-chat")


def _live(prepare: Prepare, replay: Replay) -> Prepare:
    def make() -> Call:
        replay.playing = False
        return prepare.make()

    return replace(prepare, make=make)


def _call(plan: Plan, target: Target, call: RecordedCall, replay: Replay, *, first: bool) -> Call:
    spoken = dialect(call)
    replay.call(call)
    # only the recording knows the name of a fallback within it
    named = target.endpoint if first else None
    model = named.model if named else ""
    if target.file is not None and model.endswith(target.file.name):
        # the file's name, because the configuration names no model
        model = ""
    return Call(
        adapter=Replayed(spoken, call.attempts[0].request),
        endpoint=Endpoint(
            provider=named.provider if named else call.provider,
            model=model or call.model,
            base_url=call.base_url,
            api_key=None if call.key is None else Secret(f"[{call.key}]", call.key),
        ),
        prompt=plan.prompt,
        options=plan.options.over(target.options),
        policy=call.policy or Policy(max_retries=len(call.attempts) - 1),
        stream=call.stream,
        route=ReplayRoute(replay),
    )


def _at_its_own_pace(running: Steps, replay: Replay) -> Steps:
    """Yield a run's steps without the pauses before its retries, which the recorded times include."""
    try:
        step: Effect | Batch = next(running)
        while True:
            if replay.playing and type(step) is Sleep:
                step = running.send(None)
                continue
            if replay.playing and type(step) is list:
                step = _as_waited(step, replay.wait_before_next)
            try:
                reply: Reply = yield step
            except Cancelled:
                # the caller caused it, not the model
                raise
            except LLMStreamError as error:
                step = running.throw(error)
            else:
                step = running.send(reply)
    except StopIteration:
        if replay.damage is not None:
            # the answer was complete, but the recording is damaged
            raise copy(replay.damage) from None


def _as_waited(batch: Batch, wait: float | None) -> Batch:
    """Return a batch whose retry has the recorded wait."""
    if wait is None or type(batch[0]) is not Retry:
        return batch
    return [replace(batch[0], wait=wait), *batch[1:]]
