"""What the sync and the async process transport share: arguments, ending a process, and its errors.

A process's standard output is the answer's body; its exit status shows whether it succeeded.  It is started
in its own session, so that it can be ended together with everything it started, and so that Ctrl-C in a
terminal reaches it only through us.  No shell is involved.

POSIX only: Windows has no such process groups, and can't wait for several pipes at once.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import signal
import sys
from collections import deque
from collections.abc import Sequence
from typing import Final

from llmstream.engine.effects import Head
from llmstream.errors import ConfigError, LLMStreamError, LocalModelError

PLACEHOLDER: Final = "{prompt}"
"""Replaced by the prompt in each argument."""
PIPE_SIZE: Final = 64 * 1024
"""Most bytes read or written at once: the capacity of a pipe on Linux."""
TAIL: Final = 4096
"""How many of the last bytes of a process's standard error are kept."""
if sys.platform == "win32":
    KILL: Final = signal.SIGTERM
else:
    KILL: Final = signal.SIGKILL
GRACE: Final = 2.0
"""Seconds from SIGTERM to SIGKILL."""
ORPHANS: Final = 0.5
"""Seconds from the end of a group's leader to SIGKILL for the rest: if nothing reaps orphans, as in many
containers, they appear to live forever."""
POLL: Final = 0.005
"""Seconds between two checks of something that can't be waited for."""
HEAD: Final = Head(200, {"content-type": "text/plain"})


def arguments(command: Sequence[str], prompt: bytes) -> tuple[list[str], bytes | None]:
    """Return the argument list and the data for standard input, None if an argument contains the prompt.

    Many programs mistake a prompt that starts with a dash for an option; if others write the prompts, use
    ``["program", "--", "{prompt}"]``.

    Raises:
        ConfigError: the command is empty, or the system is Windows.
        LocalModelError: the prompt contains a NUL, which an argument can't.
    """
    if not command or not command[0]:
        raise ConfigError("the command is empty", phase="config")
    if sys.platform == "win32":
        raise ConfigError("the exec adapter does not work on Windows", phase="config")
    if not any(PLACEHOLDER in argument for argument in command):
        return list(command), prompt
    if b"\0" in prompt:
        raise LocalModelError(
            "the prompt contains a NUL character, so it can't be passed as an argument",
            hint=f"remove {PLACEHOLDER} from the command, to pass the prompt on standard input",
        )
    text = os.fsdecode(prompt)
    return [argument.replace(PLACEHOLDER, text) for argument in command], None


def starting_error(program: str, error: OSError) -> LLMStreamError:
    """Return the error for a process that could not be started."""
    if isinstance(error, FileNotFoundError):
        return LocalModelError(
            f"can't find the program {program!r}", hint="check that it is installed and on the PATH"
        )
    hint = ""
    if error.errno == errno.E2BIG:
        hint = f"remove {PLACEHOLDER} from the command, to pass the prompt on standard input"
    return LocalModelError(f"can't start {program!r}: {error.strerror or error}", hint=hint)


def exit_error(program: str, status: int, said: bytes) -> LLMStreamError:
    """Return the error for a process that failed.

    Args:
        program: its name.
        status: the exit status, or minus the number of the signal that ended it.
        said: the end of its standard error.
    """
    what = f"ended with status {status}" if status >= 0 else f"was ended by {_signal_name(-status)}"
    tail = said.decode("utf-8", "replace").strip()
    return LocalModelError(
        f"{program!r} {what}: {tail}" if tail else f"{program!r} {what} and wrote no error message"
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Tail:
    """Keeps the last `TAIL` bytes of a stream."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self._pieces.append(data)
        self._size += len(data)
        while self._size - len(self._pieces[0]) >= TAIL:
            self._size -= len(self._pieces.popleft())

    def bytes(self) -> bytes:
        """Return what is kept."""
        return b"".join(self._pieces)[-TAIL:]


def signal_group(leader: int, number: int) -> bool:
    """Send a signal to a process group and return whether the group still exists."""
    if sys.platform == "win32":
        # no groups: only the process itself is ended, at once
        with contextlib.suppress(OSError):
            os.kill(leader, number)
        return False
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        # macOS reports the latter for a group of zombies only
        return False
    return True


class Ending:
    """Ends a process group: SIGTERM when created, then a grace period, then SIGKILL.

    Args:
        leader: the group's id, which is that of the process we started.
        now: monotonic seconds.
    """

    def __init__(self, leader: int, now: float) -> None:
        self._leader = leader
        self._until = now + GRACE
        self._orphans_until = math.inf
        signal_group(leader, signal.SIGTERM)

    def waits(self, now: float, exited: bool) -> bool:
        """Return whether the group's grace period continues.

        Args:
            now: monotonic seconds.
            exited: whether the leader has ended and was reaped.
        """
        if exited:
            self._orphans_until = min(self._orphans_until, now + ORPHANS)
        return now < min(self._until, self._orphans_until) and signal_group(self._leader, 0)

    def kill(self) -> None:
        """Kill the rest of the group."""
        signal_group(self._leader, KILL)
