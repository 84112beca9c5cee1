"""`llmstream batch`: run many prompts from a file and write the answers to another; resumable."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from llmstream.cli.exits import Exit, status_of
from llmstream.cli.running.asked import listed, overrides_of, settings_of, targets_of
from llmstream.cli.running.fetching import Fetching
from llmstream.cli.running.outputs import report
from llmstream.cli.signals import Interrupted
from llmstream.errors import LLMStreamError, UsageError
from llmstream.jobs.inputs import Asker, Common
from llmstream.jobs.places import Places
from llmstream.jobs.run import Settings as RunSettings
from llmstream.jobs.sources import Source
from llmstream.jobs.work import Work
from llmstream.record import replace
from llmstream.render.base import ReaderGone, encode

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.config.settings import Settings
    from llmstream.jobs.limiter import Limiter
    from llmstream.jobs.tally import Tally
    from llmstream.prompt import Attachment
    from llmstream.render.job import Bar, Lines, Quiet
    from llmstream.runnable.targets import Target

JOBS: Final = 16


class Flags(NamedTuple):
    """The command's own options.

    Args:
        jobs: most requests at once.
        rpm: requests per minute, 0 to use the configuration's.
        tpm: tokens per minute, 0 to use the configuration's.
        max_failures: failures after which to stop, 0 for no limit.
        output: path of the results file, None for standard output.
    """

    jobs: int
    rpm: float
    tpm: float
    max_failures: int
    output: str | None


def run(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Run the command and return its exit status."""
    flags = _flags(values)
    _check(values, flags, environment)
    address = _on_ray(values) and "://" in words[0]
    with Source.at(words[0]) if address else Source(words[0]) as source:
        if flags.output is not None and source.same_as(flags.output):
            raise UsageError(f"{flags.output} is the input; choose another file for the answers")
        with Fetching(environment) as fetching:
            settings = settings_of(environment, fetching)
            asker = Asker(_chooser(values, settings, fetching), _common(values, words[1:]))
            # report an unknown model or a missing key once, not for each line
            asker.chosen(None)
            work = Work(source, asker, ordered=bool(values.get("ordered")))
            work.look()
        try:
            return _done(work, values, flags, environment, settings)
        finally:
            work.close()


def _done(work: Work, values: Values, flags: Flags, environment: Environment, settings: Settings) -> int:
    if values.get("dry_run"):
        if flags.output is not None and not values.get("fresh"):
            work.peek(flags.output)
        return _dry_run(work, environment)
    if flags.output is not None:
        work.open(flags.output, fresh=bool(values.get("fresh")))
    if values.get("deferred"):
        from llmstream.cli.commands.batch_deferred import deferred

        return deferred(work, environment, wait=bool(values.get("wait")), output=flags.output)
    return _carry_out(work, values, flags, environment, settings)


def _flags(values: Values) -> Flags:
    output = values.get("output")
    return Flags(
        jobs=int(_number(values, "jobs", JOBS, least=1, most=100_000)),
        rpm=_number(values, "rpm", 0),
        tpm=_number(values, "tpm", 0),
        max_failures=int(_number(values, "max_failures", 0, least=1)),
        output=str(output) if output is not None else None,
    )


def _number(values: Values, name: str, default: float, least: float = 0, most: float = float("inf")) -> float:
    value = values.get(name)
    if value is None:
        return default
    assert isinstance(value, int | float)
    if not value >= least or value != value or (least == 0 and value == 0):
        raise UsageError(f"--{name.replace('_', '-')} must be {'1 or more' if least else 'more than 0'}")
    if value > most:
        raise UsageError(f"--{name.replace('_', '-')} must be at most {most}")
    return value


def _check(values: Values, flags: Flags, environment: Environment) -> None:
    """Refuse options that don't go together."""
    if _on_ray(values) and flags.output is not None and "://" in flags.output:
        raise UsageError(f"--output must be a local path with --ray, not {flags.output}")
    if values.get("wait") and not values.get("deferred"):
        raise UsageError("--wait needs --deferred")
    if flags.output is None:
        if values.get("deferred"):
            raise UsageError("--deferred needs --output FILE; it keeps track of the job next to that file")
        if values.get("fresh"):
            raise UsageError("--fresh needs --output FILE")
        environment.check_stdout()


def _on_ray(values: Values) -> bool:
    return bool(values.get("ray")) or "ray_address" in values


def _common(values: Values, prompt: Sequence[str]) -> Common:
    files: tuple[Attachment, ...] = ()
    if attached := listed(values, "attach"):
        from llmstream.cli.running.inputs import attachments

        files = attachments(attached)
    return Common(
        template=Places(" ".join(prompt)) if prompt else None,
        system=str(values.get("system") or ""),
        attachments=files,
    )


def _chooser(values: Values, settings: Settings, fetching: Fetching) -> Callable[[str | None], list[Target]]:
    overrides = overrides_of(values)
    fallbacks = listed(values, "fallback")

    def choose(spec: str | None) -> list[Target]:
        if spec is None:
            targets = targets_of(values, settings, overrides, fetching)
        else:
            targets = [settings.target(spec, overrides)]
            targets += [settings.later(other, overrides) for other in fallbacks]
        # fetch a key once, not for each prompt
        return [replace(one, unlock=cache(one.unlock)) if one.unlock else one for one in targets]

    return choose


def _dry_run(work: Work, environment: Environment) -> int:
    found = work.found
    if found is None:
        raise UsageError("--dry-run needs an input that can be read twice: a file, not a pipe")
    lines = [f"prompts: {found.prompts}", f"already answered: {work.answered}", f"still to run: {work.left}"]
    lines += [f"  {name}: {count}" for name, count in sorted(found.models.items())]
    lines.append(f"input tokens: about {found.tokens} (all prompts, at four characters per token)")
    environment.out.write(encode("\n".join(lines) + "\n"))
    return Exit.OK


def _carry_out(work: Work, values: Values, flags: Flags, environment: Environment, settings: Settings) -> int:
    from llmstream.render.job import summary

    tally = work.tally(time.monotonic)
    show = _show(environment)
    ended_by: LLMStreamError | None = None
    silent, whole = environment.quiet, False
    # modules and ids live to the end: keep the garbage collector from scanning them repeatedly
    gc.freeze()
    try:
        if work.left != 0 and _on_ray(values):
            from llmstream.cli.commands.batch_ray import on_ray

            address = str(values.get("ray_address") or "")
            run = RunSettings(flags.jobs, flags.max_failures, values.get("stream") is not False)
            ended_by = on_ray(work, address, run, _limits(flags, settings), environment, tally, show)
        elif work.left != 0:
            with asyncio.Runner() as runner:
                ended_by = runner.run(_asked(work, values, flags, environment, settings, tally, show))
        show.close()
        tally.before = max(tally.before, work.judge.answered)
        work.put_in_order()
        whole = True
    except ReaderGone:
        silent = True
        raise
    finally:
        show.close()
        if not silent:
            lines = summary(tally, output=flags.output, color=environment.colored, whole=whole)
            environment.err.write(lines)
    if ended_by is not None:
        report(ended_by, environment)
        return status_of(ended_by)
    return Exit.BATCH if tally.failed else Exit.OK


def _show(environment: Environment) -> Bar | Lines | Quiet:
    from llmstream.render.job import Bar, Lines, Quiet

    if environment.quiet:
        return Quiet()
    if environment.err.isatty and not environment.dumb:
        return Bar(environment.err, color=environment.colored)
    return Lines(environment.err)


def _limits(flags: Flags, settings: Settings) -> Callable[[Target], tuple[float, float]]:
    """Return a function from a target to its requests and tokens per minute; flags take precedence."""

    def limits(target: Target) -> tuple[float, float]:
        configured = settings.provider(target.endpoint.provider).table("limits")
        rpm, tpm = (float(str(configured.get(name, 0))) for name in ("rpm", "tpm"))
        return flags.rpm or rpm, flags.tpm or tpm

    return limits


async def _asked(
    work: Work,
    values: Values,
    flags: Flags,
    environment: Environment,
    settings: Settings,
    tally: Tally,
    show: Bar | Lines | Quiet,
) -> LLMStreamError | None:
    """Run all prompts; turn a signal into Interrupted after all open requests are closed."""
    from llmstream.jobs.limiter import Limiter

    loop = asyncio.get_running_loop()

    limits = _limits(flags, settings)

    def limiter(target: Target) -> Limiter:
        return Limiter(*limits(target), flags.jobs, loop.time)

    stop = Stop(loop)
    writer = environment.out
    try:
        return await work.run(
            RunSettings(flags.jobs, flags.max_failures, values.get("stream") is not False),
            tally,
            lambda line: writer.write(harmless(line, writer.isatty)),
            show,
            limiter=limiter,
        )
    except asyncio.CancelledError:
        if stop.number is not None:
            raise Interrupted(stop.number) from None
        raise


class Stop:
    """Cancels the running task at the first signal, and ends the process at the second."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.number: int | None = None
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        if sys.platform == "win32":
            # event loops can't handle signals on Windows: the process's own handlers stay installed
            return
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self._received, number)

    def _received(self, number: int) -> None:
        if self.number is not None:
            os._exit(128 + self.number)
        self.number = number
        self._task.cancel()


def harmless(line: str, isatty: bool) -> bytes:
    """Return a line of JSON as bytes that are safe to write; see `render.jsonl.harmless`."""
    from llmstream.render.jsonl import harmless

    return harmless(line, isatty)
