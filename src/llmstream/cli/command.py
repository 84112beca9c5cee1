"""What all commands share: the global options, and the handling of errors."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from llmstream.cli.exits import Exit, status_of
from llmstream.cli.parsing.commands import BY_NAME
from llmstream.errors import LLMStreamError
from llmstream.render.base import ReaderGone, encode

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values


class Run(Protocol):
    """The function that carries out a command."""

    def __call__(self, values: Values, words: Sequence[str], environment: Environment, /) -> int:
        """Write to the environment's streams and return the exit status.

        Raises:
            LLMStreamError: `carry_out` reports it and returns its exit status.
            ReaderGone: the output's reader closed it.
        """
        ...


def carry_out(name: str, values: Values, words: Sequence[str], environment: Environment) -> int:
    """Run the command `name` with its options and words, and return its exit status."""
    environment.color = str(values.get("color") or "auto")
    environment.quiet = bool(values.get("quiet"))
    environment.debug = bool(values.get("debug"))
    path = values.get("config")
    environment.config = Path(str(path)) if path else None
    if name != "prompt":
        gc.enable()
    module, _, function = BY_NAME[name].home.partition(":")
    run: Run = getattr(import_module(f"llmstream.cli.commands.{module}"), function)
    try:
        return run(values, words, environment)
    except ReaderGone:
        return Exit.READER_GONE
    except LLMStreamError as error:
        from llmstream.cli.running.outputs import report

        report(error, environment)
        return status_of(error)


def texts(work: Callable[..., str]) -> Run:
    """Return a command that prints the text that `work` returns.

    Args:
        work: called with the environment, the command's words as positional arguments, and the given
            options, except those of all commands, as keyword arguments.
    """
    from llmstream.cli.parsing.table import ALL, OPTIONS

    shared = {option.key for option in OPTIONS if option.commands == ALL}

    def run(values: Values, words: Sequence[str], environment: Environment) -> int:
        own = {key: value for key, value in values.items() if key not in shared}
        text = work(environment, *words, **own)
        if text and environment.out.isatty:
            from llmstream.render.guard import guarded

            text = guarded(text)
        environment.out.write(encode(text))
        return Exit.OK

    run.__doc__ = work.__doc__
    return run
