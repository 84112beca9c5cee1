"""Turns the signals that end a run into one exception, so that every end takes the same way."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstream.render.base import Writer


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
    """Handlers of SIGINT, SIGTERM and SIGHUP; the second one of a run ends the process on the spot.

    Between `hold` and `let_go` a signal is only noted, so that what came in one read reaches all
    outputs or none: otherwise the last line of `--events` could count a token that no line shows.  A
    writer whose reader doesn't read lets it through all the same, since that wait has no end.

    Attributes:
        writers: those that may wait for a reader.
    """

    def __init__(self) -> None:
        self.writers: Sequence[Writer] = ()
        self._first: int | None = None
        self._held = self._noted = False

    def rearm(self) -> None:
        """Begin another run: the next signal is its first."""
        self._first = None
        self._held = self._noted = False

    def hold(self) -> None:
        """From now on only note a signal."""
        self._held = True

    def let_go(self) -> None:
        """End a hold.

        Raises:
            Interrupted: a signal came in the meantime.
        """
        self._held = False
        if self._noted and self._first is not None:
            self._noted = False
            raise Interrupted(self._first)

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
        if self._held and not any(writer.waiting for writer in self.writers):
            self._noted = True
            return
        self._held = False
        raise Interrupted(number)
