"""Turns the signals that end a run into one exception, so that every end takes the same way."""

from __future__ import annotations

import os
import signal
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A signal asked the run to end; a KeyboardInterrupt, as event loops let only that through."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status that shells expect: 128 and the signal's number."""
        return 128 + self.number


class Signals:
    """Handlers of SIGINT, SIGTERM and SIGHUP; the second one of a run ends the process on the spot."""

    def __init__(self) -> None:
        self._first: int | None = None

    def rearm(self) -> None:
        """Begin another run: the next signal is its first."""
        self._first = None

    def install(self) -> None:
        """Install the handlers; a signal that was ignored when we were started stays so (nohup)."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._received)

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self._first is not None:
            os._exit(128 + self._first)
        self._first = number
        raise Interrupted(number)
