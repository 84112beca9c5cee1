"""The command: argv to settings to a use case to an exit status; the only floor that prints or exits.

This file is what every run loads first, so it imports next to nothing: a prompt goes the short
way (argv.py), everything else through the full parser (app.py).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main() -> None:
    """Run the command with this process's arguments and exit."""
    status = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError:
                status = status or 1
    # the interpreter's own tidying up takes 10 ms, and threads of a local model may not end
    os._exit(status)


def run(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    from llmstream.cli.signals import Interrupted, Signals

    try:
        Signals().install()
        return _dispatch(argv)
    except Interrupted as interrupt:
        return interrupt.status
    except Exception as error:  # noqa: BLE001  # the last resort: one line instead of a traceback
        return _bug(error, "--debug" in argv)


def _dispatch(argv: Sequence[str]) -> int:
    from llmstream.cli.parsing.argv import command_in, parse

    command = command_in(argv)
    if command is None:
        parsed = parse(argv)
        if parsed is not None:
            return prompted(*parsed)
        argv = ["prompt", *argv]
    from llmstream.cli.app import run as run_app

    return run_app(argv)


def prompted(values: dict[str, str | int | float | bool | list[str] | None], words: Sequence[str]) -> int:
    """Run the default command with parsed options."""
    if values.get("version") or values.get("help"):
        return _about(version=bool(values.get("version")))
    from llmstream.cli.commands.prompt import run as run_prompt
    from llmstream.cli.environment import Environment

    environment = Environment.of_process()
    environment.color = str(values.get("color") or "auto")
    environment.quiet = bool(values.get("quiet"))
    environment.debug = bool(values.get("debug"))
    return run_prompt(values, words, environment)


def _about(*, version: bool) -> int:
    if version:
        from llmstream.version import __version__

        sys.stdout.write(f"llmstream {__version__}\n")
        return 0
    from llmstream.cli.parsing.help import prompt_help

    sys.stdout.write(prompt_help())
    return 0


def _bug(error: Exception, debug: bool) -> int:
    from llmstream.render.guard import guarded

    text = (
        f"llmstream: an error of llmstream itself: {type(error).__name__}: {error}\n  --debug shows where\n"
    )
    if debug:
        import traceback

        text = "".join(traceback.format_exception(error)) + text
    # what went wrong may repeat what a stranger wrote
    sys.stderr.write(guarded(text))
    return 1
