"""What every command beside the default one starts with: its surroundings and its way to fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from llmstream.cli.environment import Environment
from llmstream.cli.exits import Exit, status_of
from llmstream.errors import LLMStreamError
from llmstream.render.base import ReaderGone, encode

ConfigOption: TypeAlias = Annotated[
    Path | None, typer.Option("--config", help="Configuration file [env: LLMSTREAM_CONFIG]")
]
ColorOption: TypeAlias = Annotated[str, typer.Option("--color", help="Colours: auto, always or never")]
DebugOption: TypeAlias = Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors")]
QuietOption: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on standard error")]


def carried_out(
    work: Callable[[Environment], str], *, color: str = "auto", debug: bool = False, quiet: bool = False
) -> int:
    """Do a command's work, print what it returns, and return the exit status.

    Args:
        work: returns the text for standard output; raises LLMStreamError.
        color: what --color says.
        debug: what --debug says.
        quiet: what --quiet says.
    """
    from llmstream.cli.outputs import report
    from llmstream.render.guard import guarded

    environment = Environment.of_process()
    environment.color, environment.debug, environment.quiet = color, debug, quiet
    try:
        text = work(environment)
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
