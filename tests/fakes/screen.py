"""The command in this process, on a terminal: a tenth of what a process of its own costs."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from fakes.command import Command, Run, in_process


def on_screen(
    command: Command,
    *arguments: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    columns: int = 80,
) -> Run:
    """Run the command to its end; what its terminal was sent is the run's `out`, both streams together.

    Args:
        command: whose home it is.
        arguments: of the command line.
        stdin: what standard input holds.
        env: variables beside the home's.
        columns: of the terminal.
    """
    import termios

    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    # newlines as they were written
    settings = termios.tcgetattr(theirs)
    settings[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, settings)
    shown: list[bytes] = []
    reading = threading.Thread(target=_read, args=(ours, shown))
    reading.start()
    variables = {**command.home.environment, "COLUMNS": str(columns), **(env or {})}
    try:
        run = in_process(arguments, stdin, variables, command.home.folder, screen=theirs)
    finally:
        os.close(theirs)
        reading.join()
        os.close(ours)
    return Run(run.status, b"".join(shown).decode("utf-8", "replace") + run.out, "")


def _read(terminal: int, shown: list[bytes]) -> None:
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # EIO: nobody has the terminal open any more
            return
        if not data:
            return
        shown.append(data)
