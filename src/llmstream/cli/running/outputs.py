"""Puts together the sinks of one run: what goes to standard output, and what people are told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from llmstream.errors import Cancelled, LLMStreamError
from llmstream.events import Event, FinishReason
from llmstream.record import replace
from llmstream.render.base import Sink, Tee, encode
from llmstream.render.guard import guarded
from llmstream.render.notes import NotesSink, error_lines
from llmstream.render.plain import PlainSink, ReasoningSink

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.engine.meter import Meter
    from llmstream.runnable.calls import Plan


class Outputs(NamedTuple):
    """The sinks of one run.

    Args:
        sink: all of them as one.
        meter: set when the run's text or figures are wanted at its end.
    """

    sink: Sink
    meter: Meter | None

    def close(self, error: LLMStreamError | None) -> None:
        """End all outputs."""
        self.sink.close(error, time.monotonic())


class StatsSink:
    """Writes the line of `--stats` when the run has ended."""

    wants_text = False

    def __init__(self, environment: Environment, meter: Meter) -> None:
        self._environment = environment
        self._meter = meter

    def write(self, batch: list[Event], at: float) -> None:
        """Do nothing: the meter keeps what the end needs."""

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Write the line."""
        from llmstream.render.stats import stats_line

        environment, completion = self._environment, self._meter.completion(now)
        if error is not None and completion.finish_reason == "unknown":
            ended: FinishReason = "cancelled" if isinstance(error, Cancelled) else "error"
            completion = replace(completion, finish_reason=ended)
        environment.err.write(stats_line(completion, color=environment.colored))


def outputs(values: Values, plan: Plan | None, environment: Environment, began: float) -> Outputs:
    """Return the sinks that the options ask for.

    Args:
        values: the options.
        plan: what is going to run, None when it could not be made.
        environment: the streams.
        began: when the run began, monotonic.
    """
    machine = bool(values.get("events") or values.get("events_version") or values.get("json"))
    meter = None
    if machine or values.get("stats"):
        from llmstream.engine.meter import Meter

        meter = Meter(began, keep_text=machine)
    sinks: list[Sink] = [meter] if meter else []
    answer: PlainSink | None = None
    if machine:
        assert meter is not None
        sinks.append(_machine_sink(values, plan, environment, meter, began))
    else:
        guard = environment.out.isatty and not values.get("raw")
        answer = PlainSink(
            environment.out,
            separator=str(values.get("separator") or ""),
            newline=not values.get("no_newline"),
            guard=guard,
        )
        sinks.append(answer)
    sinks += _for_people(values, plan, environment, answer, machine)
    if values.get("stats") and meter:
        sinks.append(StatsSink(environment, meter))
    return Outputs(sinks[0] if len(sinks) == 1 else Tee(sinks), meter)


def _for_people(
    values: Values, plan: Plan | None, environment: Environment, answer: PlainSink | None, machine: bool
) -> list[Sink]:
    shared = answer if environment.out.isatty and environment.err.isatty else None
    wanted = values.get("reasoning")
    sinks: list[Sink] = []
    if wanted == "show" or (
        wanted is None and environment.err.isatty and not machine and not environment.quiet
    ):
        guard = environment.err.isatty and not values.get("raw")
        thinking = ReasoningSink(environment.err, dim=environment.colored, guard=guard, answer=shared)
        sinks.append(thinking)
    if not environment.quiet:
        retries = plan.targets[0].policy.max_retries if plan else 0
        sinks.append(
            NotesSink(
                environment.err,
                max_retries=retries,
                color=environment.colored,
                answer=shared,
                calls=not machine,
            )
        )
    return sinks


def _machine_sink(
    values: Values, plan: Plan | None, environment: Environment, meter: Meter, began: float
) -> Sink:
    from llmstream.render.jsonl import JsonlSink, JsonSink
    from llmstream.runnable.llm import tracer_of

    tracer = tracer_of(plan, "v1" if values.get("events_version") == "v1" else "v2")
    if values.get("json"):
        return JsonSink(environment.out, tracer, meter)
    sink = JsonlSink(environment.out, tracer, meter)
    sink.open(began)
    return sink


def report(error: LLMStreamError, environment: Environment) -> None:
    """Write an error to standard error, with its traceback under --debug."""
    environment.err.write(error_lines(error, color=environment.colored))
    if environment.debug:
        import traceback

        # it ends with the message as the server wrote it
        environment.err.write(encode(guarded("".join(traceback.format_exception(error)))))
