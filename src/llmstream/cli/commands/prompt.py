"""The default command: send a prompt and stream its answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llmstream.cli.running.asked import asked
from llmstream.cli.running.fetching import Fetching
from llmstream.cli.running.outputs import outputs
from llmstream.cli.running.pump import Run
from llmstream.cli.running.talk import Talk
from llmstream.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.render.base import Sink
    from llmstream.runnable.plan import Plan


def run(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Run the default command and return its exit status."""
    began = time.monotonic()
    if values.get("json") and (values.get("events") or values.get("events_version")):
        raise UsageError(
            "--json and --events can't be combined",
            hint="use --events alone: its last line contains what --json prints",
        )
    fetching = Fetching(environment)
    # a copy, because a conversation or a template adds values for this run
    values = dict(values)
    talk = Talk(values, environment)

    def plan() -> Plan:
        made = asked(values, words, environment, fetching, talk)
        if environment.meant:
            from llmstream.cli.running.lookalike import confirm

            confirm(environment, made.targets[0], fetching.say)
        return made

    def sinks(made: Plan | None) -> Sink:
        return outputs(values, made, environment, began, talk=talk)

    if values.get("show_request"):
        from llmstream.cli.commands.show_request import show_request

        return show_request(plan(), environment)
    run = Run(environment, fetching, sinks, began, talk)
    return run.carry_out(plan, asynchronous=values.get("sync") is False)
