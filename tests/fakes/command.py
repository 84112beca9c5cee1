"""The real command in a process, on pipes or on a terminal, with a home of its own."""

from __future__ import annotations

import contextlib
import io
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from llmstream.cli.signals import Signals

PATIENCE: Final = 60.0
"""Seconds; only a run that hangs comes so far."""
COMMAND: Final = (sys.executable, "-m", "llmstream")
KEPT: Final = ("PATH", "SYSTEMROOT", "LANG", "COVERAGE_PROCESS_CONFIG")
"""Variables that a run may see of ours; keys and proxies of whoever runs the tests it may not."""
SIGN: Final = re.compile(rb"(?:\r(?:\x1b\[2m)?waiting[^\r\n]*)+\r\x1b\[K")
"""The waiting sign, with its end."""


class Run(NamedTuple):
    """What a finished command left: its status and its streams."""

    status: int
    out: str
    err: str


class Home:
    """An empty home folder, with the environment that leads there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        folders = {
            f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")
        }
        self.environment = {**kept, **folders, "HOME": str(folder), "TERM": "xterm-256color"}
        self.config = folder / "config" / "llmstream" / "config.toml"

    def write(self, text: str, mode: int = 0o600) -> Path:
        """Write the configuration file and return its path."""
        self.config.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.config.write_text(text, "utf-8")
        self.config.chmod(mode)
        return self.config


class Terminal:
    """A run on a terminal of its own, which tests read and type into."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        *,
        pipe_out: bool = False,
        columns: int = 0,
        program: Sequence[str] = COMMAND,
    ) -> None:
        self._ours, theirs = os.openpty()
        if columns:
            import termios

            termios.tcsetwinsize(theirs, (24, columns))
        self.shown = b""
        self.process = subprocess.Popen(
            [*program, *arguments],
            stdin=theirs,
            stdout=subprocess.PIPE if pipe_out else theirs,
            stderr=theirs,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(theirs)

    def type(self, text: str | bytes) -> None:
        """Type, as a person would."""
        os.write(self._ours, text if isinstance(text, bytes) else text.encode())

    def wait_for(self, text: str) -> None:
        """Read until the terminal has shown a text."""
        self._read(lambda: text.encode() in self.shown)
        assert text.encode() in self.shown, self.shown

    def finish(self) -> Run:
        """Read all, wait for the end, and return what was shown, as both streams.

        A waiting sign that came and went is left out: whether it came depends on the machine's speed.
        """
        self._read(lambda: False)
        shown = SIGN.sub(b"", self.shown)
        out = self.process.stdout.read() if self.process.stdout else shown
        status = self.process.wait(PATIENCE)
        self.close()
        return Run(status, out.decode(), shown.decode("utf-8", "replace"))

    def settings(self) -> list[object]:
        """Return the terminal's settings, as ``stty -a`` shows them."""
        import termios

        return list(termios.tcgetattr(self._ours))

    def settings_at_end(self) -> tuple[list[object], Run]:
        """Wait for the end, and return the settings that were left, and what `finish` does."""
        self._read(lambda: False)
        return self.settings(), self.finish()

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size."""
        import fcntl
        import struct
        import termios

        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        """Close the terminal's window."""
        os.close(self._ours)
        self._ours = -1

    def close(self) -> None:
        """End the process if it still runs, and take the terminal away."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def _read(self, enough: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not enough() and time.monotonic() < deadline:
            if not select.select([self._ours], [], [], 1)[0]:
                continue
            try:
                data = os.read(self._ours, 65536)
            except OSError:  # EIO: nobody has the terminal open any more
                return
            if not data:
                return
            self.shown += data


def _own_terminal() -> None:
    """Make the terminal that standard input is the controlling one, so that Ctrl-C reaches us."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def in_process(
    arguments: Sequence[str],
    stdin: bytes,
    environment: Mapping[str, str],
    folder: Path,
    signals: Signals | None = None,
    screen: int | None = None,
) -> Run:
    """Run the command to its end in this process, on files that are read when it has ended.

    Args:
        arguments: of the command line.
        stdin: what standard input holds.
        environment: the variables, all of them.
        folder: the current one.
        signals: handlers that are installed in this process.
        screen: a terminal to write to instead, which somebody else reads.
    """
    from llmstream.cli import run
    from llmstream.cli.environment import Environment
    from llmstream.render.base import Writer

    text = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        # the full parser's help goes through the library's own printing
        with placed(environment, folder), contextlib.redirect_stdout(text):
            numbers = (out.fileno(), err.fileno()) if screen is None else (screen, screen)
            writers = Writer(numbers[0]), Writer(numbers[1], "standard error")
            surroundings = Environment(*writers, os.environ, stdin=given.fileno(), signals=signals)
            status = run(arguments, surroundings)
        printed = text.buffer.getvalue()
        out.seek(0)
        err.seek(0)
        return Run(status, (out.read() + printed).decode(), err.read().decode())


@contextlib.contextmanager
def placed(environment: Mapping[str, str], folder: Path) -> Iterator[None]:
    """Have this process be in a folder, with these variables and no others."""
    before = dict(os.environ), Path.cwd()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before[0])
        os.chdir(before[1])


class Command:
    """Runs the command in a home.

    Args:
        home: where; its environment is the command's.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self._started: list[subprocess.Popen[bytes] | Terminal] = []

    def __call__(
        self, *arguments: str, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None
    ) -> Run:
        """Run it to its end, on files or pipes; without `stdin` standard input is empty.

        It runs in this process, unless a variable counts only at the interpreter's start.
        """
        environment = {**self.home.environment, **(env or {})}
        if "PYTHONPATH" in environment:
            return self.apart(*arguments, stdin=stdin, env=env)
        data = stdin.encode() if isinstance(stdin, str) else stdin or b""
        return in_process(arguments, data, environment, self.home.folder)

    def apart(
        self, *arguments: str, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None
    ) -> Run:
        """Run it to its end in a process of its own, on pipes."""
        data = stdin.encode() if isinstance(stdin, str) else stdin or b""
        done = subprocess.run(
            [*COMMAND, *arguments],
            input=data,
            capture_output=True,
            env={**self.home.environment, **(env or {})},
            timeout=PATIENCE,
            cwd=self.home.folder,
            check=False,
        )
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start it on pipes and leave it running."""
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.home.environment,
            cwd=self.home.folder,
        )
        self._started.append(process)
        return process

    def on_terminal(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        pipe_out: bool = False,
        columns: int = 0,
    ) -> Terminal:
        """Start it on a terminal; with `pipe_out` its standard output is a pipe; 0 columns say nothing."""
        variables = {**self.home.environment, **(env or {})}
        terminal = Terminal(arguments, variables, pipe_out=pipe_out, columns=columns)
        self._started.append(terminal)
        return terminal

    def close(self) -> None:
        """End what a failed test left running."""
        for one in self._started:
            if isinstance(one, Terminal):
                one.close()
                continue
            one.kill()
            one.wait()
            for stream in (one.stdin, one.stdout, one.stderr):
                if stream:
                    stream.close()
