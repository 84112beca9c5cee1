"""`llmstream replay`: play a recorded run again, with the same outputs and at its original pace."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from llmstream.cli.running.fetching import Fetching
from llmstream.cli.running.outputs import outputs
from llmstream.cli.running.pump import Run
from llmstream.errors import UsageError
from llmstream.prompt import Endpoint, Message, Options, Prompt
from llmstream.runnable.options import options_from
from llmstream.runnable.plan import Plan
from llmstream.runnable.replays import SPEED, speed_of
from llmstream.runnable.targets import Target
from llmstream.transport.tape.reader import calls_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.render.base import Sink

SHOWN = ("temperature", "max_tokens", "stop")
"""Options that are part of the events."""


def run(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Play a recording and return the exit status of the run that was recorded."""
    began = time.monotonic()
    fetching = Fetching(environment)

    def sinks(made: Plan | None) -> Sink:
        return outputs(values, made, environment, began)

    def plan() -> Plan:
        environment.check_stdout()
        return _plan(Path(words[0]), values)

    return Run(environment, fetching, sinks, began).carry_out(plan, asynchronous=values.get("sync") is False)


def _plan(file: Path, values: Values) -> Plan:
    """Return the recorded run's plan, with the recording as its target.

    Raises:
        UsageError: the speed is not valid.
        LLMStreamError: the file can't be read, or its start is damaged.
    """
    speed = Options(extra={SPEED: str(values.get("speed", "1"))})
    speed_of(speed)
    first = calls_of(file)[0]
    return Plan(
        targets=[
            Target(
                adapter=first.adapter,
                endpoint=Endpoint(first.provider, first.model, first.base_url),
                options=speed,
                file=file,
            )
        ],
        prompt=first.prompt if first.prompt.messages else Prompt((Message("user", ""),)),
        options=_options(first.options),
        stream=first.stream,
    )


def _options(recorded: Mapping[str, object]) -> Options:
    try:
        return options_from({name: recorded[name] for name in SHOWN if name in recorded})
    except UsageError:
        # from another program's recording; the answer doesn't depend on them
        return Options()
