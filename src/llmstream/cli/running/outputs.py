"""Assemble the sinks of one run, for standard output and for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmstream.errors import LLMStreamError
from llmstream.render.base import Answer, Sink, Tee, encode
from llmstream.render.guard import guarded
from llmstream.render.notes import NotesSink, error_lines
from llmstream.render.plain import PlainSink

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.cli.running.talk import Kept
    from llmstream.engine.meter import Meter
    from llmstream.runnable.plan import Plan
    from llmstream.tracing.chain import Seat
    from llmstream.tracing.tracer import EventsVersion


ESCAPES: Final = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def outputs(
    values: Values,
    plan: Plan | None,
    environment: Environment,
    began: float,
    *,
    name: str = "",
    seat: Seat | None = None,
    talk: Kept | None = None,
) -> Sink:
    """Return the sink, usually a Tee, for the outputs chosen by the options.

    Args:
        values: the options.
        plan: the run's plan, None if it could not be made.
        environment: the streams.
        began: when the run started, monotonic seconds.
        name: the model's name if several are asked at once, else empty.
        seat: the run that contains this one, None for a separate run.
        talk: the run's place in the history, None for a run that has none.
    """
    machine = bool(values.get("events") or values.get("events_version") or values.get("json"))
    sinks: list[Sink] = []
    answer: Answer | None = None
    if machine or values.get("stats"):
        from llmstream.engine.meter import Meter

        meter = Meter(began, keep_text=machine)
        sinks.append(meter)
    run_id: str | None = None
    if machine:
        from llmstream.tracing.tracer import uuid7

        run_id = uuid7()
    else:
        answer = answer_of(values, environment)
    sinks += _before_the_answer(values, environment, answer, alone=not name)
    sinks.append(answer or _machine_sink(values, plan, environment, meter, seat, run_id))
    if machine and values.get("copy"):
        sinks.append(_copying(values, environment))
    if not environment.quiet:
        sinks.append(
            NotesSink(
                environment.err,
                color=environment.colored,
                width=environment.width_of(environment.err),
                answer=_shared(environment, answer),
                calls=not machine,
                steps=environment.err.isatty and not machine,
                name=name,
            )
        )
    if values.get("stats"):
        from llmstream.render.stats import StatsSink

        sinks.append(StatsSink(environment.err, meter, color=environment.colored))
    kept = talk.sink(plan, run_id) if talk is not None and plan is not None else None
    if kept is not None:
        sinks = [kept.aside, *sinks, kept]
    return sinks[0] if len(sinks) == 1 else Tee(sinks)


def answer_of(values: Values, environment: Environment) -> Answer:
    """Return the sink that shows the answer's text or one of its code blocks."""
    answer = _whole(values, environment)
    beside: list[Sink] = [_copying(values, environment)] if values.get("copy") else []
    extracts = values.get("extract") or values.get("extract_last")
    if not (extracts or beside):
        return answer
    from llmstream.render.extract import BesideSink, ExtractSink

    if not extracts:
        return BesideSink(answer, beside)
    return ExtractSink(answer, beside, "last" if values.get("extract_last") else "first", environment.say)


def _copying(values: Values, environment: Environment) -> Sink:
    from llmstream.cli.running.clipboard import CopySink

    return CopySink(environment, guard=environment.out.isatty and not values.get("raw"))


def _whole(values: Values, environment: Environment) -> Answer:
    """Return the sink that shows all of the text, as Markdown if that is wanted and possible."""
    newline = not values.get("no_newline")
    if shows_markdown(values, environment):
        from llmstream.render.markdown.sink import MarkdownSink, colours_of, theme_of

        variables = environment.variables
        allowed = environment.color == "always" or (
            environment.color == "auto" and not variables.get("NO_COLOR")
        )
        return MarkdownSink(
            environment.out,
            newline=newline,
            colours=colours_of(variables, allowed),
            theme=theme_of(variables, environment.markdown_theme),
        )
    return PlainSink(
        environment.out,
        separator=unescaped(str(values.get("separator") or "")),
        newline=newline,
        guard=environment.out.isatty and not values.get("raw"),
    )


def unescaped(text: str) -> str:
    r"""Return a separator with ``\n``, ``\t``, ``\0`` and ``\\`` replaced; all else is unchanged."""
    if "\\" not in text:
        return text
    import re

    return re.sub(r"\\([nt0\\])", lambda found: ESCAPES[found[1]], text)


def shows_markdown(values: Values, environment: Environment) -> bool:
    """Return whether to show the answer as Markdown, only on a terminal that supports escape sequences."""
    if not environment.out.isatty or environment.dumb:
        return False
    if any(values.get(name) for name in ("raw", "separator", "extract", "extract_last")):
        return False
    wanted = values.get("md")
    return environment.markdown if wanted is None else bool(wanted)


def _shared(environment: Environment, answer: Answer | None) -> Answer | None:
    """Return the answer's sink if both output streams are terminals, presumably the same one."""
    return answer if environment.out.isatty and environment.err.isatty else None


def _before_the_answer(
    values: Values, environment: Environment, answer: Answer | None, *, alone: bool
) -> list[Sink]:
    """Return the sinks for standard error before the answer: the waiting indicator, thinking."""
    sinks: list[Sink] = []
    terminal = environment.err.isatty and not environment.dumb
    if terminal and alone and not environment.quiet:
        from llmstream.render.waiting import WaitingSink

        environment.waiting = WaitingSink(environment.err, dim=environment.colored)
        sinks.append(environment.waiting)
    wanted = values.get("reasoning")
    if wanted == "show" or (wanted is None and environment.err.isatty and answer and not environment.quiet):
        from llmstream.render.thinking import ThinkingSink

        sinks.append(
            ThinkingSink(
                environment.err,
                dim=environment.colored,
                guard=environment.err.isatty and not values.get("raw"),
                terminal=terminal,
                answer=_shared(environment, answer),
            )
        )
    return sinks


def _machine_sink(
    values: Values,
    plan: Plan | None,
    environment: Environment,
    meter: Meter,
    seat: Seat | None,
    run_id: str | None,
) -> Sink:
    from llmstream.render.jsonl import JsonlSink, JsonSink
    from llmstream.runnable.tracers import tracer_of

    tracer = tracer_of(plan, version_of(values), {"run_id": run_id} if run_id else None, seat=seat)
    return (JsonSink if values.get("json") else JsonlSink)(environment.out, tracer, meter)


def version_of(values: Values) -> EventsVersion:
    """Return the version of the events format set by the options."""
    return "v1" if values.get("events_version") == "v1" else "v2"


def report(error: LLMStreamError, environment: Environment) -> None:
    """Write an error to standard error; with --debug, also where it and its causes were raised."""
    width = environment.width_of(environment.err)
    environment.err.write(error_lines(error, color=environment.colored, width=width))
    if environment.debug:
        # it contains the server's own message
        environment.err.write(encode(guarded(_origin(error))))


def _origin(error: BaseException) -> str:
    """Return where an error and its causes were raised: a line for each error and each call below it."""
    import traceback

    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = _origin(cause) if cause is not None else ""
    calls = traceback.extract_tb(error.__traceback__)
    lines = [f"    {call.filename}:{call.lineno} in {call.name}\n" for call in calls]
    return f"{before}  {type(error).__name__}: {error}\n{''.join(lines)}"
