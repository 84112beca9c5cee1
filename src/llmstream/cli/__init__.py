"""The command: from argv to settings to a use case to an exit status; only this floor prints and exits.

Every run loads this file first, so it imports next to nothing: a command line that is certainly valid
is parsed quickly (parsing/argv.py), any other by the full parser (app.py).
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.signals import Signals


def main() -> None:
    """Run the command with this process's arguments and exit."""
    from llmstream.cli.signals import Signals

    # nothing imported at start-up is garbage; collection is enabled again once the request is sent
    gc.disable()
    signals = Signals()
    signals.install()
    status = run(sys.argv[1:], signals=signals)
    # chat's line editor writes to sys.stdout, which os._exit doesn't flush
    try:
        sys.stdout.flush()
    except (OSError, AttributeError):
        status = status or 141
    # the interpreter's clean-up takes 10 ms, and threads of a local model may not end
    os._exit(status)


def run(
    argv: Sequence[str], environment: Environment | None = None, *, signals: Signals | None = None
) -> int:
    """Run the command and return its exit status.

    Args:
        argv: the arguments, without the program's name.
        environment: streams and variables, None for this process's own.
        signals: the handlers installed in this process, None for none.
    """
    from llmstream.cli.signals import Interrupted

    try:
        return _dispatch(argv, environment, signals)
    except Interrupted as interrupt:
        return interrupt.status
    except Exception as error:  # noqa: BLE001  # last resort: one line instead of a traceback
        return _bug(error, "--debug" in argv, environment)


def _dispatch(argv: Sequence[str], environment: Environment | None, signals: Signals | None) -> int:
    from llmstream.cli.parsing.argv import parse, split

    name, rest = split(argv)
    parsed: tuple[dict[str, str | int | float | bool | list[str] | None], list[str]] | int | None
    parsed = parse(rest, name)
    if environment is None:
        from llmstream.cli.environment import Environment

        environment = Environment.of_process(signals)
    if parsed is None:
        from llmstream.cli.app import parse_in_full

        parsed = parse_in_full(name, rest, environment)
    if isinstance(parsed, int):
        return parsed
    values, words = parsed
    if values.get("version") or values.get("help"):
        return _about(environment, version=bool(values.get("version")))
    if name == "prompt" and 0 < len(words) <= 3:
        from llmstream.cli.parsing.near import help_asked, meant

        topic = help_asked(argv, values, words)
        if topic in ("prompt", "version"):
            return _about(environment, version=topic == "version")
        if topic is not None:
            return run([*topic.split(), "--help"], environment)
        environment.meant = meant(argv, words)
    from llmstream.cli.command import carry_out

    return carry_out(name, values, words, environment)


def _about(environment: Environment, *, version: bool) -> int:
    if version:
        from llmstream.version import __version__

        text = f"llmstream {__version__}\n"
    else:
        from llmstream.cli.parsing.help import prompt_help

        text = prompt_help()
    return environment.show(text)


def _bug(error: Exception, debug: bool, environment: Environment | None) -> int:
    from llmstream.render.guard import guarded

    name = type(error).__name__
    hint = "" if debug else "  --debug shows the traceback\n"
    text = f"llmstream: internal error: {name}: {error}; please report it\n{hint}"
    if debug:
        import traceback

        text = "".join(traceback.format_exception(error)) + text
    # the message may contain untrusted text
    data = guarded(text).encode("utf-8", "replace")
    if environment is not None:
        environment.err.write(data)
    else:
        from contextlib import suppress

        with suppress(OSError):
            os.write(2, data)
    return 1
