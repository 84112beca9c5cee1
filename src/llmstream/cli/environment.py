"""The command's surroundings in one object: streams, variables, and what may be drawn on them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from llmstream.cli.signals import Signals
from llmstream.render.base import OutputError, ReaderGone, Writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstream.render.waiting import WaitingSink


class Environment:
    """Where a command runs.

    Args:
        out: standard output, the answer's alone.
        err: standard error, for people.
        variables: the environment's.
        color: what --color says: auto, always or never.
        quiet: errors only.
        debug: tracebacks too.
        closed_stdout: standard output was closed when we were started.
        stdin: descriptor of standard input.
        signals: handlers that are installed in this process, to be armed again for each run.
        config: what a command's --config says.

    Attributes:
        meant: the command that a prompt's words look like, empty for none.
    """

    def __init__(
        self,
        out: Writer,
        err: Writer,
        variables: Mapping[str, str],
        *,
        color: str = "auto",
        quiet: bool = False,
        debug: bool = False,
        closed_stdout: bool = False,
        stdin: int = 0,
        signals: Signals | None = None,
        config: Path | None = None,
    ) -> None:
        self.out = out
        self.err = err
        self.variables = variables
        self.color = color
        self.quiet = quiet
        self.debug = debug
        self.closed_stdout = closed_stdout
        self.config = config
        self.meant = ""
        self.stdin = stdin
        self.signals = signals or Signals()
        self.signals.writers = (out, err)
        self.markdown = True
        """What the configuration says: answers are shown as Markdown."""
        self.markdown_theme = ""
        """What the configuration says: the theme of code in them, empty for one that suits the terminal."""
        self.waiting: WaitingSink | None = None
        """The sign on standard error that an answer is awaited."""

    @classmethod
    def of_process(cls, signals: Signals | None = None) -> Environment:
        """Return this process's surroundings."""
        closed = _fill_closed_descriptors()
        return cls(
            Writer(1),
            Writer(2, "standard error", beside=True),
            os.environ,
            closed_stdout=1 in closed,
            signals=signals,
        )

    def begin(self) -> None:
        """Begin a run: signals and patience with slow readers are as at the start."""
        self.signals.rearm()
        self.out.hurry(None)
        self.err.hurry(None)

    def show(self, text: str) -> int:
        """Write help and the like on standard output, and return the exit status."""
        try:
            self.out.write(text.encode())
        except ReaderGone:
            return 141
        except OutputError as error:
            from llmstream.render.notes import error_lines

            self.err.write(error_lines(error, color=self.colored))
            return 1
        return 0

    def say(self, text: str) -> None:
        """Write a note on standard error, unless --quiet.

        Args:
            text: one sentence; it may hold anything.
        """
        if not self.quiet:
            from llmstream.render.notes import note_line

            self.err.write(note_line(text, color=self.colored, width=self.width_of(self.err)))

    def check_stdout(self) -> None:
        """Refuse to ask a model whose answer could go nowhere.

        Raises:
            OutputError: standard output is closed.
        """
        if self.closed_stdout:
            raise OutputError("standard output is closed", hint="redirect it to a file or to /dev/null")

    def width_of(self, writer: Writer) -> int | None:
        """Return the cells of the terminal that a stream is, None when it is none or doesn't say."""
        if not writer.isatty:
            return None
        try:
            return os.get_terminal_size(writer.fd).columns or None
        except OSError:
            return None

    @property
    def dumb(self) -> bool:
        """Whether the terminal takes no escape sequences."""
        return self.variables.get("TERM", "dumb") in ("dumb", "unknown", "")

    @property
    def colored(self) -> bool:
        """Whether standard error may have colours (https://no-color.org)."""
        if self.color != "auto":
            return self.color == "always"
        return self.err.isatty and not self.dumb and not self.variables.get("NO_COLOR")


def _fill_closed_descriptors() -> list[int]:
    """Put /dev/null, read-only, where a standard stream is closed, and return which these are.

    A socket opened later would take the free number, and the answer would be written into it.
    """
    closed = []
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)
            closed.append(descriptor)
    return closed
