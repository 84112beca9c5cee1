"""Turns the signals that end a run into one exception, so that every end takes the same way."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Final, ParamSpec

if TYPE_CHECKING:
    from llmstream.render.base import Writer


P = ParamSpec("P")
_OF_LOOPS: Final = ("asyncio", "selectors", "_weakrefset")
"""Packages that event loops consist of."""


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

    Amid an event loop's own code it is raised by the loop itself, as its next step: a loop that is broken
    off between taking a step and making it never wakes the task that waits for that step.

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
        self._raise_noted()

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
        elif frame is not None and _is_of_a_loop(frame) and self._told_to_the_loop():
            pass
        else:
            raise Interrupted(number)

    def _told_to_the_loop(self) -> bool:
        """Have the running loop raise what is noted, if one runs."""
        # this may be amid the import of asyncio
        running = getattr(sys.modules.get("asyncio"), "get_running_loop", None)
        try:
            loop = running() if running else None
        except RuntimeError:
            loop = None
        if loop is None:
            return False
        self._noted = True
        loop.call_soon_threadsafe(self._raise_noted)
        return True

    def _raise_noted(self) -> None:
        if self._noted and self._first is not None:
            self._noted = False
            raise Interrupted(self._first)


def _is_of_a_loop(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _OF_LOOPS
