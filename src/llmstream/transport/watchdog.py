"""Deadlines for a blocking read: a thread that shuts the socket down when one passes.

A read timeout of httpx begins anew with each byte that comes, so that keep-alive comments or a
header sent byte by byte reset it for ever.  Ours is one absolute deadline, which moves only when
the engine moves it.  While nothing is waited for there is none, so that time spent in writing the
answer does not count; nor does time in which the whole process stood still.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Final, Protocol

from llmstream.engine.effects import NEVER

TICK: Final = 0.5
"""Longest sleep, in seconds: what is overslept beyond STANDSTILL, the process stood still."""
STANDSTILL: Final = 0.25


class Shuttable(Protocol):
    """A socket, or what asyncio shows of one."""

    def shutdown(self, how: int, /) -> None:
        """End the directions that `how` names."""
        ...


def shut_down(connection: Shuttable | None) -> None:
    """End both directions of a socket, so that whoever waits on it wakes up."""
    if connection is None:
        return
    # an SSLSocket's own method would drop its TLS state under the reader's feet
    with contextlib.suppress(OSError):  # it is gone already
        if isinstance(connection, socket.socket):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
        else:
            connection.shutdown(socket.SHUT_RDWR)


class Watchdog:
    """Watches one socket for one reader.

    `expired` is true once a deadline has passed; the reader then takes whatever its read brings,
    an error or a clean end, for a passed limit.  `deadline` is NEVER while nothing is waited for;
    one that is earlier than `wakes_at`, when the thread looks next, needs a `wake`.
    """

    def __init__(self) -> None:
        self.expired = False
        self.connection: Shuttable | None = None
        self.deadline = NEVER
        self.wakes_at = NEVER
        self._given = NEVER
        self._stood = 0.0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def arm(self, deadline: float) -> None:
        """Set the deadline of the wait that follows.

        Time in which the process stood still is added to a deadline for as long as it is the same,
        over all the waits that keep-alive comments make of one.
        """
        if deadline != self._given:
            self._given, self._stood = deadline, 0.0
        self.deadline = deadline + self._stood
        if self.deadline < self.wakes_at:
            self.wake()

    def watch(self, connection: Shuttable) -> None:
        """Watch a socket; one that comes when the deadline has passed already is shut down at once."""
        self.connection = connection
        if self.expired:
            shut_down(connection)

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self.connection = None
        if self._thread is not None:
            self.wake()

    def wake(self) -> None:
        """Have the thread look at the deadline now."""
        if self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._watch, name="llmstream-watchdog", daemon=True)
            self._thread.start()
            return
        with self._changed:
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                if now >= self.deadline:
                    self.expired = True
                    shut_down(self.connection)
                    self.deadline = NEVER
                self.wakes_at = min(self.deadline, now + TICK)
                self._changed.wait(self.wakes_at - now)
                late = time.monotonic() - self.wakes_at
                if late > STANDSTILL:
                    self.deadline += late
                    self._stood += late
