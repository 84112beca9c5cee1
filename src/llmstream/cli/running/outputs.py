"""Puts together the sinks of one run: what goes to standard output, and what people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmstream.errors import LLMStreamError
from llmstream.render.base import Answer, Sink, Tee, encode
from llmstream.render.guard import guarded
from llmstream.render.notes import NotesSink, error_lines
from llmstream.render.plain import PlainSink, ReasoningSink

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.engine.meter import Meter
    from llmstream.runnable.calls import Plan


ESCAPES: Final = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def outputs(values: Values, plan: Plan | None, environment: Environment, began: float) -> Sink:
    """Return the sinks that the options ask for, opened.

    Args:
        values: the options.
        plan: what is going to run, None when it could not be made.
        environment: the streams.
        began: when the run began, monotonic.
    """
    machine = bool(values.get("events") or values.get("events_version") or values.get("json"))
    sinks: list[Sink] = []
    answer: Answer | None = None
    if machine or values.get("stats"):
        from llmstream.engine.meter import Meter

        meter = Meter(began, keep_text=machine)
        sinks.append(meter)
    if machine:
        sinks.append(_machine_sink(values, plan, environment, meter))
    else:
        answer = _answer(values, environment)
        sinks.append(answer)
    sinks += _for_people(values, environment, answer, machine)
    if values.get("stats"):
        from llmstream.render.stats import StatsSink

        sinks.append(StatsSink(environment.err, meter, color=environment.colored))
    made = sinks[0] if len(sinks) == 1 else Tee(sinks)
    made.open(plan, began)
    return made


def _answer(values: Values, environment: Environment) -> Answer:
    """Return the sink that shows the answer's text."""
    return PlainSink(
        environment.out,
        separator=unescaped(str(values.get("separator") or "")),
        newline=not values.get("no_newline"),
        guard=environment.out.isatty and not values.get("raw"),
    )


def unescaped(text: str) -> str:
    r"""Return a separator with ``\n``, ``\t``, ``\0`` and ``\\`` in it replaced; anything else stands."""
    if "\\" not in text:
        return text
    import re

    return re.sub(r"\\([nt0\\])", lambda found: ESCAPES[found[1]], text)


def _for_people(values: Values, environment: Environment, answer: Answer | None, machine: bool) -> list[Sink]:
    """Return the sinks that write on standard error."""
    shared = answer if environment.out.isatty and environment.err.isatty else None
    wanted = values.get("reasoning")
    color = environment.colored
    sinks: list[Sink] = []
    if wanted == "show" or (
        wanted is None and environment.err.isatty and not machine and not environment.quiet
    ):
        guard = environment.err.isatty and not values.get("raw")
        sinks.append(ReasoningSink(environment.err, dim=color, guard=guard, answer=shared))
    if not environment.quiet:
        steps = environment.err.isatty and not machine
        width = environment.width_of(environment.err)
        sinks.append(
            NotesSink(
                environment.err, color=color, width=width, answer=shared, calls=not machine, steps=steps
            )
        )
    return sinks


def _machine_sink(values: Values, plan: Plan | None, environment: Environment, meter: Meter) -> Sink:
    from llmstream.render.jsonl import JsonlSink, JsonSink
    from llmstream.runnable.llm import tracer_of

    tracer = tracer_of(plan, "v1" if values.get("events_version") == "v1" else "v2")
    return (JsonSink if values.get("json") else JsonlSink)(environment.out, tracer, meter)


def report(error: LLMStreamError, environment: Environment) -> None:
    """Write an error to standard error, with its traceback under --debug."""
    width = environment.width_of(environment.err)
    environment.err.write(error_lines(error, color=environment.colored, width=width))
    if environment.debug:
        import traceback

        # it ends with the message as the server wrote it
        environment.err.write(encode(guarded("".join(traceback.format_exception(error)))))
