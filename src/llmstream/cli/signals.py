"""Turns the signals that end a run into one exception, so that every end takes the same way."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from llmstream.render.base import Writer


P = ParamSpec("P")


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

    During `whole` a signal is only noted, so that what came in one read reaches all outputs or none:
    otherwise the last line of `--events` could hold a token that no other line shows.  A writer that
    waits for its reader lets the signal through all the same, since that wait may never end.

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

    def whole(self, call: Callable[P, None], *args: P.args, **named: P.kwargs) -> None:
        """Make a call that no signal breaks off.

        Raises:
            Interrupted: a signal came in the meantime.
        """
        self._held = True
        try:
            call(*args, **named)
        finally:
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
        raise Interrupted(number)
