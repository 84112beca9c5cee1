"""The command's environment in one object: streams, variables, and what may be drawn on the streams."""

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
    """The environment of a command.

    Args:
        out: standard output, for the answer only.
        err: standard error, for messages.
        variables: the environment variables.
        color: the value of --color: auto, always or never.
        quiet: whether to write only errors.
        debug: whether to write tracebacks, too.
        closed_stdout: whether standard output was closed at the start.
        stdin: descriptor of standard input.
        signals: this process's signal handlers, which are reset for each run.
        config: the path given by --config, None without it.

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
        self._said: set[str] = set()
        self.stdin = stdin
        self.signals = signals or Signals()
        self.signals.writers = (out, err)
        self.markdown = True
        """The setting `markdown`: whether to show answers as Markdown."""
        self.markdown_theme = ""
        """The setting `markdown_theme`: style of code in answers, empty to choose one for the terminal."""
        self.waiting: WaitingSink | None = None
        """The waiting indicator on standard error, None without one."""

    @classmethod
    def of_process(cls, signals: Signals | None = None) -> Environment:
        """Return the environment of this process."""
        closed = _fill_closed_descriptors()
        return cls(
            Writer(1),
            Writer(2, "standard error", beside=True),
            os.environ,
            closed_stdout=1 in closed,
            signals=signals,
        )

    def begin(self) -> None:
        """Start a run: reset the signal handlers and the wait for slow readers."""
        self.signals.rearm()
        self.out.hurry(None)
        self.err.hurry(None)

    def show(self, text: str) -> int:
        """Write a text such as help to standard output and return the exit status."""
        try:
            self.out.write(text.encode())
        except ReaderGone:
            return 141
        except OutputError as error:
            from llmstream.render.notes import error_lines

            self.err.write(error_lines(error, color=self.colored))
            return 1
        return 0

    def say(self, text: str, *, once: bool = False) -> None:
        """Write a note to standard error, unless --quiet.

        Args:
            text: one sentence, made safe and short before it is written.
            once: leave out a note that has been written before.
        """
        if once and text in self._said:
            return
        if once:
            self._said.add(text)
        if not self.quiet:
            from llmstream.render.notes import note_line

            self.err.write(note_line(text, color=self.colored, width=self.width_of(self.err)))

    def check_stdout(self) -> None:
        """Check, before a model is asked, that its answer can be written.

        Raises:
            OutputError: standard output is closed.
        """
        if self.closed_stdout:
            raise OutputError("standard output is closed", hint="redirect it to a file or to /dev/null")

    def width_of(self, writer: Writer) -> int | None:
        """Return a terminal's width in cells, None if the stream is not a terminal or reports no width."""
        if not writer.isatty:
            return None
        try:
            return os.get_terminal_size(writer.fd).columns or None
        except OSError:
            return None

    @property
    def dumb(self) -> bool:
        """Whether the terminal doesn't support escape sequences."""
        return self.variables.get("TERM", "dumb") in ("dumb", "unknown", "")

    @property
    def colored(self) -> bool:
        """Whether standard error may have colours (https://no-color.org)."""
        if self.color != "auto":
            return self.color == "always"
        return self.err.isatty and not self.dumb and not self.variables.get("NO_COLOR")


def _fill_closed_descriptors() -> list[int]:
    """Open /dev/null, read-only, in place of each closed standard stream; return their descriptors.

    Otherwise a socket opened later would get the free number, and the answer would be written into it.
    """
    closed = []
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)
            closed.append(descriptor)
    return closed
