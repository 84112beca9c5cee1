"""Turn the signals that end a run into one exception, so that all of them are handled alike."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Final, ParamSpec

if TYPE_CHECKING:
    from llmstream.render.base import Writer


SOON: Final = 0.002
"""Seconds until a signal is sent again whose exception was ignored."""
P = ParamSpec("P")
_OF_LOOPS: Final = ("asyncio", "selectors", "_weakrefset")
"""Packages that contain event loops' code."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the run to end; a KeyboardInterrupt, because event loops let only that through."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status that shells expect: 128 plus the signal's number."""
        return 128 + self.number


class Signals:
    """Handlers of SIGINT, SIGTERM and SIGHUP; the second signal of a run ends the process at once.

    During `whole`, a signal is only noted, so that the events of one read reach all outputs or none:
    otherwise the last line of `--events` could contain a token that is in no other line.  While a writer
    waits for its reader, the signal is raised nevertheless, because that wait may never end.

    A signal that arrives in an event loop's own code is raised by the loop as its next step: a loop that is
    interrupted between taking a step and making it never wakes the task that waits for that step.

    Python ignores an exception in the callback of a weak reference, which importing uses, or in ``__del__``,
    and prints its traceback: a signal that arrives there is sent again afterwards.

    Attributes:
        writers: the writers that may wait for a reader.
    """

    def __init__(self) -> None:
        self.writers: Sequence[Writer] = ()
        self._report = sys.unraisablehook
        self._first: int | None = None
        self._held = self._noted = False

    def rearm(self) -> None:
        """Prepare for another run, whose first signal is the next one."""
        self._first = None
        self._held = self._noted = False

    def whole(self, call: Callable[P, None], *args: P.args, **named: P.kwargs) -> None:
        """Make a call that signals don't interrupt, unless a writer is waiting for its reader.

        Raises:
            Interrupted: a signal was received in the meantime.
        """
        self._held = True
        try:
            call(*args, **named)
        finally:
            self._held = False
        self._raise_noted()

    def install(self) -> None:
        """Install the handlers; a signal that was ignored at the start stays ignored (nohup)."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._received)
        self._report = sys.unraisablehook
        sys.unraisablehook = self._ignored

    def _ignored(self, ignored: sys.UnraisableHookArgs) -> None:
        """Send a signal again whose exception was ignored; report any other exception as usual."""
        if not isinstance(ignored.exc_value, Interrupted):
            self._report(ignored)
            return
        import _thread

        self._first = None
        # by another thread, because the callback is still running in this one
        _thread.start_new_thread(_send_again, (ignored.exc_value.number, _thread.get_ident()))

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
        """Make the running event loop, if any, raise the signal; return whether there is one."""
        # asyncio may be only partly imported at this moment
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


def _send_again(number: int, thread: int) -> None:
    time.sleep(SOON)
    if sys.platform != "win32":
        signal.pthread_kill(thread, number)
    else:
        signal.raise_signal(signal.Signals(number))


def _is_of_a_loop(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _OF_LOOPS
