"""The default command: a prompt goes out, its answer's tokens come in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmstream.cli.exits import Exit, status_of
from llmstream.cli.running.fetching import Fetching
from llmstream.cli.running.outputs import Outputs, outputs, report
from llmstream.cli.running.stdin import prompt_text
from llmstream.cli.running.ways_out import add_ways_out
from llmstream.cli.signals import Interrupted
from llmstream.config.settings import Overrides, Settings
from llmstream.errors import Cancelled, LLMStreamError, MissingExtra, UsageError
from llmstream.prompt import Attachment, Message, Options, Prompt
from llmstream.render.base import ReaderGone
from llmstream.runnable.calls import Plan, abatches, batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values

LIMITS: Final = {
    "timeout_connect": "connect",
    "timeout_first": "first_token",
    "timeout_idle": "idle",
    "timeout_total": "total",
}
LAST_WORDS: Final = 1.0
"""Seconds that a reader who doesn't read is given when the run was told to end."""


def run(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Run the default command and return its exit status."""
    began = time.monotonic()
    plan: Plan | None = None
    sinks: Outputs | None = None
    fetching = Fetching(environment)
    try:
        plan = _plan(values, words, environment, fetching)
        if values.get("show_request"):
            from llmstream.cli.commands.show_request import show_request

            return show_request(plan, environment)
        sinks = outputs(values, plan, environment, began)
        _pump(plan, sinks, fetching, asynchronous=values.get("sync") is False)
        sinks.close(None)
    except ReaderGone:
        return Exit.READER_GONE
    except LLMStreamError as error:
        fetching.close()
        if isinstance(error, MissingExtra):
            add_ways_out(error, environment)
        return _failed(error, values, plan, sinks, environment, began)
    except Interrupted as interrupt:
        fetching.close()
        environment.out.hurry(LAST_WORDS)
        environment.err.hurry(LAST_WORDS)
        stopped = Cancelled(
            "stopped by the user" if interrupt.number == 2 else f"stopped by signal {interrupt.number}"
        )
        _failed(stopped, values, plan, sinks, environment, began, quiet=True)
        return interrupt.status
    return Exit.OK


def _failed(
    error: LLMStreamError,
    values: Values,
    plan: Plan | None,
    sinks: Outputs | None,
    environment: Environment,
    began: float,
    *,
    quiet: bool = False,
) -> int:
    """End the outputs, say what happened, and return the exit status."""
    try:
        (sinks or outputs(values, plan, environment, began)).close(error)
    except ReaderGone:
        return Exit.READER_GONE
    except LLMStreamError as second:
        error = second
    if not quiet:
        report(error, environment)
    return status_of(error)


def _pump(plan: Plan, sinks: Outputs, fetching: Fetching, *, asynchronous: bool) -> None:
    if asynchronous:
        import asyncio

        with asyncio.Runner() as runner:
            try:
                runner.run(_apump(plan, sinks))
            finally:
                # the runner waits for its threads
                fetching.stop()
        return
    running = batches(plan)
    write, clock = sinks.sink.write, time.monotonic
    try:
        for batch in running:
            write(batch, clock())
    finally:
        running.close()


async def _apump(plan: Plan, sinks: Outputs) -> None:
    running = abatches(plan)
    write, clock = sinks.sink.write, time.monotonic
    try:
        async for batch in running:
            write(batch, clock())
    finally:
        await running.aclose()


def _plan(values: Values, words: Sequence[str], environment: Environment, fetching: Fetching) -> Plan:
    environment.check_stdout()
    path = values.get("config")
    settings = Settings.load(Path(str(path)) if path else None, environment.variables)
    for warning in settings.warnings:
        fetching.say(f"warning: {warning}")
    model = values.get("model")
    fallbacks = _listed(values, "fallback")
    overrides = _overrides(values)
    specs = [settings.choice(str(model) if model is not None else None).spec, *fallbacks]
    specs = [_full_name(settings, spec, fetching) for spec in specs]
    # a request that is only shown needs no key
    fetch_key = not values.get("show_request")
    first = settings.target(specs[0], overrides, fetch_key=fetch_key)
    targets = [first, *(settings.later(spec, overrides) for spec in specs[1:])]
    files, beside = _listed(values, "file"), _listed(values, "attach")
    text = prompt_text(
        words, use_stdin=not values.get("no_stdin"), say=fetching.say, more=bool(files or beside)
    )
    attached: tuple[Attachment, ...] = ()
    if files or beside:
        from llmstream.cli.running.inputs import attachments, with_files

        text, attached = with_files(text, files), attachments(beside)
    system = values.get("system")
    messages = [Message("system", str(system))] if system else []
    return Plan(
        targets=targets,
        prompt=Prompt((*messages, Message("user", text, attached))),
        options=overrides.options or Options(),
        stream=values.get("stream") is not False,
        say=fetching.say,
        progress=fetching.progress,
        ready=fetching.close,
    )


def _listed(values: Values, key: str) -> list[str]:
    found = values.get(key) or []
    assert isinstance(found, list)
    return found


def _full_name(settings: Settings, spec: str, fetching: Fetching) -> str:
    """Return the model that a part of its name stands for, and say so."""
    if settings.knows(spec):
        return spec
    from llmstream.config.lists.known import spec_of

    found = spec_of(settings, spec)
    if found != spec:
        fetching.say(f"taking {spec!r} for {found}")
    return found


def _overrides(values: Values) -> Overrides:
    from llmstream.config.option_text import parse_option
    from llmstream.runnable.options import options_from

    table: dict[str, object] = dict(map(parse_option, _listed(values, "option")))
    table |= {k: values[k] for k in ("temperature", "max_tokens", "top_p", "stop", "seed") if k in values}
    if "schema" in values:
        from llmstream.cli.running.inputs import schema_of

        table["schema"] = schema_of(str(values["schema"]))
    limits = {name: float(str(values[key])) for key, name in LIMITS.items() if key in values}
    retries = values.get("retries")
    if limits or retries is not None:
        _check_limits(values)
    return Overrides(
        options=options_from(table) if table else None,
        limits=limits,
        max_retries=retries if isinstance(retries, int) else None,
    )


def _check_limits(values: Values) -> None:
    """Refuse what the configuration would refuse."""
    from llmstream.config.file.kinds import count, seconds

    for key, complaint in {**dict.fromkeys(LIMITS, seconds), "retries": count}.items():
        flaw = complaint(values[key]) if key in values else None
        if flaw is not None:
            raise UsageError(f"--{key.replace('_', '-')} {flaw}")
