"""What every command beside the default one starts with: its surroundings and its way to fail."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from llmstream.cli.environment import Environment
from llmstream.cli.exits import Exit, status_of
from llmstream.errors import LLMStreamError
from llmstream.render.base import ReaderGone, encode

COLORS: Final = ("auto", "always", "never")


def command(work: Callable[..., str]) -> Callable[..., int]:
    """Return a command for typer: `work` with the options that every command takes.

    Args:
        work: is given the surroundings and, by keyword, its own options; returns the text for
            standard output; raises LLMStreamError.
    """
    own = [*inspect.signature(work, eval_str=True).parameters.values()][1:]

    def run(config: Path | None, color: str, quiet: bool, debug: bool, **values: object) -> int:
        environment = Environment.of_process()
        environment.config, environment.color = config, color
        environment.quiet, environment.debug = quiet, debug
        return _carried_out(lambda: work(environment, **values), environment)

    # `models -q TEXT` is a query, as it is of `llm models`
    short = [] if any(one.name == "query" for one in own) else ["-q"]
    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own] + [
        _shared("config", Path | None, None, "Configuration file [env: LLMSTREAM_CONFIG]"),
        _shared("color", str, "auto", "Colours: auto, always or never", callback=_color),
        _shared("quiet", bool, False, "Errors only on standard error", *short),
        _shared("debug", bool, False, "Show tracebacks of errors"),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect reads
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__name__, run.__doc__ = work.__name__, work.__doc__
    return run


def _shared(
    name: str,
    kind: object,
    default: object,
    help: str,
    *short: str,
    callback: Callable[[str], str] | None = None,
) -> inspect.Parameter:
    option = typer.Option(f"--{name}", *short, help=help, callback=callback)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _color(value: str) -> str:
    if value not in COLORS:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(COLORS)}")
    return value


def _carried_out(work: Callable[[], str], environment: Environment) -> int:
    """Do a command's work, print what it returns, and return the exit status."""
    from llmstream.cli.running.outputs import report
    from llmstream.render.guard import guarded

    try:
        text = work()
        environment.out.write(encode(guarded(text) if environment.out.isatty else text))
    except ReaderGone:
        return Exit.READER_GONE
    except LLMStreamError as error:
        report(error, environment)
        return status_of(error)
    return Exit.OK


def columns(rows: list[list[str]]) -> str:
    """Return rows as text in columns, each as wide as its widest cell."""
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "".join(line.rstrip() + "\n" for line in lines)
