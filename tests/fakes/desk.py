"""The real command in this process, at a terminal where all keys were pressed before it began."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import tty
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Final, TextIO

from fakes.command import Command, Run, placed

SCREEN: Final = {"columns": 80, "rows": 24}


def at_desk(command: Command, *arguments: str, typed: str, env: Mapping[str, str] | None = None) -> Run:
    """Run the command with its input from a terminal, and its outputs into files.

    Args:
        command: whose home it is.
        arguments: of the command line.
        typed: lines that were typed; Ctrl-D comes after them, twice: a line that goes on takes the first.
        env: more variables.
    """
    with ExitStack() as stack:
        ours, theirs = stack.enter_context(_terminal())
        os.write(ours, typed.encode() + b"\x04\x04")
        out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        status = _run(command, arguments, env, theirs, out.fileno(), err.fileno())
        out.seek(0)
        err.seek(0)
        return Run(status, out.read().decode(), err.read().decode())


def at_screen(
    command: Command,
    *arguments: str,
    typed: str,
    env: Mapping[str, str] | None = None,
    out: bool | int = True,
    then: tuple[str, str] | None = None,
) -> Run:
    """Run the command with all its streams on a terminal, which takes keys as they come.

    Args:
        command: whose home it is.
        arguments: of the command line.
        typed: keys that were pressed, control characters too.
        env: more variables.
        out: False has standard output be a file, a number is its descriptor.
        then: what the screen is to show, and the keys that are pressed when it does.
    """
    with ExitStack() as stack:
        ours, theirs = stack.enter_context(_terminal())
        tty.setraw(theirs)
        os.write(ours, typed.encode())
        file = stack.enter_context(tempfile.TemporaryFile())
        shown: list[bytes] = []
        reader = threading.Thread(target=_drain, args=(ours, shown, then), name="screen")
        reader.start()
        try:
            number = theirs if out is True else file.fileno() if out is False else out
            status = _run(command, arguments, env, theirs, number, theirs)
        finally:
            os.write(theirs, END)
            reader.join()
        file.seek(0)
        screen = b"".join(shown).removesuffix(END).decode("utf-8", "replace")
        return Run(status, screen if out is True else file.read().decode(), screen)


END: Final = b"\x00the screen's end\x00"


def _drain(ours: int, shown: list[bytes], then: tuple[str, str] | None) -> None:
    """Read what the terminal shows until its end was written."""
    while not b"".join(shown[-2:]).endswith(END):
        shown.append(os.read(ours, 65536))
        if then and then[0].encode() in b"".join(shown):
            os.write(ours, then[1].encode())
            then = None


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    import termios

    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (SCREEN["rows"], SCREEN["columns"]))
    try:
        yield ours, theirs
    finally:
        os.close(theirs)
        os.close(ours)


def _run(
    command: Command,
    arguments: tuple[str, ...],
    env: Mapping[str, str] | None,
    stdin: int,
    out: int,
    err: int,
) -> int:
    """Run the command on descriptors, which are Python's own streams too."""
    from llmstream.cli import run
    from llmstream.cli.environment import Environment
    from llmstream.render.base import Writer

    variables = {**command.home.environment, **(env or {})}
    with ExitStack() as stack:
        stack.enter_context(placed(variables, command.home.folder))
        stack.enter_context(_streams(stdin, out, err))
        stack.enter_context(_own_session())
        writers = Writer(out), Writer(err, "standard error", beside=True)
        return run(list(arguments), Environment(*writers, os.environ, stdin=stdin))


@contextmanager
def _streams(stdin: int, out: int, err: int) -> Iterator[None]:
    before: tuple[TextIO, TextIO, TextIO] = sys.stdin, sys.stdout, sys.stderr
    made = [open(number, mode, closefd=False) for number, mode in ((stdin, "r"), (out, "w"), (err, "w"))]  # noqa: SIM115
    sys.stdin, sys.stdout, sys.stderr = made
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        for one in made:
            one.close()


def _own_session() -> AbstractContextManager[object]:
    """Return a session of prompt_toolkit's: its own keeps the first terminal that it saw."""
    try:
        from prompt_toolkit.application import create_app_session
    except ImportError:
        return nullcontext()
    return create_app_session()
