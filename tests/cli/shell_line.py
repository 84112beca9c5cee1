"""A real interactive shell on a terminal of its own: types a line and TAB, and gives back the line it then has."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

START: Final = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
    "fish": ["--no-config", "-i"],
}
READY: Final = {
    "bash": "PS1=; source {script}; echo rea''dy\n",
    "zsh": "PS1=; unsetopt prompt_sp; autoload -Uz compinit; compinit -u -D; source {script}; echo rea''dy\n",
    "fish": "function fish_prompt; end; source {script}; echo rea''dy\n",
}
PATIENCE: Final = 15.0


def need(shell: str) -> str:
    """Return the shell's path; where it is missing, the test fails on a build machine and is skipped elsewhere."""
    found = shutil.which(shell)
    if found is None:
        if os.environ.get("CI") == "true" and hasattr(os, "geteuid") and os.geteuid() == 0:
            pytest.fail(f"{shell} is not installed")
        pytest.skip(f"{shell} is not installed")
    return found


def _controlling() -> None:
    # standard input becomes the session's terminal, without which zsh has no line editor
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Shell:
    """An interactive shell that has read a script.

    Args:
        name: ``bash``, ``zsh`` or ``fish``.
        script: the file to source.
        environment: its variables.
        folder: its working directory.
    """

    def __init__(self, name: str, script: Path, environment: Mapping[str, str], folder: Path) -> None:
        program = need(name)
        self._main, terminal = pty.openpty()
        self._process = subprocess.Popen(
            [program, *START[name]],
            stdin=terminal, stdout=terminal, stderr=terminal,
            env={**environment, "TERM": "dumb"}, cwd=folder, start_new_session=True, preexec_fn=_controlling,
        )  # fmt: skip
        os.close(terminal)
        self._type(READY[name].format(script=script))
        self._until(r"(?m)^.*\bready\r?$")

    def completed(self, line: str) -> str:
        """Return what a line is after TAB."""
        # the line becomes the words of an echo, which says what the editor made of it
        self._type(f"{line}\t\x01echo @'l'ine:\n")
        found = self._until(r"@line:(.*?)\r?\n")
        return found[1].rstrip()

    def _type(self, text: str) -> None:
        os.write(self._main, text.encode())

    def _until(self, pattern: str) -> re.Match[str]:
        text, end = "", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if select.select([self._main], [], [], 0.5)[0]:
                text += os.read(self._main, 1 << 16).decode("utf-8", "replace")
                if found := re.search(pattern, text):
                    return found
        raise AssertionError(f"no {pattern} in {text!r}")

    def close(self) -> None:
        """End the shell."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._main)
