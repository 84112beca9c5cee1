"""Waiting for sockets on an event loop.

Our own instead of httpx to save CPU: 195 µs per answer against 595, 7.6 µs per token against 15.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from socket import socket
from typing import TYPE_CHECKING, Final, TypeAlias

from llmstream.engine.effects import NEVER
from llmstream.errors import TimeLimitPassed
from llmstream.transport.http.connect import Wait
from llmstream.transport.http.waiting import ready_of
from llmstream.transport.patience import Patience

if TYPE_CHECKING:
    import asyncio

NONE: Final = -1
"""A file descriptor that no socket has."""

Pull: TypeAlias = Callable[[], bytes | None]
"""Reads a socket and returns the data wanted from it, None when there is none yet."""


class Watch:
    """Waits for the sockets of one transport, one wait at a time.

    Args:
        loop: the running one.
        patience: the transport's deadlines.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, patience: Patience) -> None:
        self.loop = loop
        self._patience = patience
        self._future: asyncio.Future[bytes | None] | None = None
        self._pull: Pull | None = None
        self._watched = NONE
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = NEVER

    async def news(self, sock: socket, pull: Pull | None) -> bytes | None:
        """Wait until one socket has something.

        The socket stays with the loop from one wait to the next, and is read by the loop's callback:
        half the price of adding and removing it each time.  `leave` it before it is closed.

        Args:
            sock: that is waited for.
            pull: reads it; None where the caller does.

        Returns:
            What `pull` returned; None after a call of `wake`.

        Raises:
            TimeLimitPassed: no data in time.
        """
        patience, loop = self._patience, self.loop
        now = loop.time()
        until = now + patience.slice(now)
        number = sock.fileno()
        if self._watched != number and not self._begin(number):
            await self.ready(Wait((sock,)), until - now)
            patience.woke(loop.time())
            return None if pull is None else pull()
        if until < self._wakes_at:
            self._wake_at(until)
        self._pull = pull
        self._future = loop.create_future()
        try:
            return await self._future
        finally:
            self._future = None

    def _begin(self, number: int) -> bool:
        self.leave()
        try:
            # by number: of a socket that it doesn't know yet, a selector makes a long message first
            self.loop.add_reader(number, self._came)
        except NotImplementedError:
            # the loop that Windows has by default: it can't wait for a socket that it doesn't own
            return False
        self._watched = number
        return True

    def leave(self) -> None:
        """Have the loop forget the socket."""
        timer, self._timer, self._wakes_at = self._timer, None, NEVER
        if timer is not None:
            timer.cancel()
        self._unwatch()

    def _unwatch(self) -> None:
        number, self._watched = self._watched, NONE
        if number != NONE and not self.loop.is_closed():
            self.loop.remove_reader(number)

    def wake(self) -> None:
        """End the wait, without a result."""
        if self._future is not None:
            _wake(self._future)

    def _came(self) -> None:
        future, pull = self._future, self._pull
        if future is None or future.done():
            # nobody waits: the system buffers data until somebody does
            self._unwatch()
            return
        self._patience.woke(self.loop.time())
        if pull is None:
            future.set_result(None)
            return
        try:
            data = pull()
            if data is None:
                # the wait goes on, and a standstill in it counts
                self._patience.slice(self.loop.time())
        except Exception as error:  # noqa: BLE001  # it is the reader's
            _fail(future, error)
        else:
            if data is not None:
                future.set_result(data)

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = when
        self._timer = self.loop.call_at(when, self._tick)

    def _tick(self) -> None:
        """Look at the deadline of the wait under way."""
        self._timer, self._wakes_at = None, NEVER
        future = self._future
        if future is None or future.done():
            return
        now = self.loop.time()
        try:
            seconds = self._patience.slice(now)
        except TimeLimitPassed as error:
            _fail(future, error)
        else:
            self._wake_at(now + seconds)

    async def ready(self, wait: Wait, seconds: float) -> Sequence[socket]:
        """Return the sockets that are ready within so many seconds; none when none is, or at `wake`."""
        loop = self.loop
        # one of the same number may have been closed
        self.leave()
        self._future = future = loop.create_future()
        found: list[socket] = []

        def tell(sock: socket) -> None:
            if sock not in found:
                found.append(sock)
            _wake(future)

        add, remove = (
            (loop.add_writer, loop.remove_writer) if wait.writing else (loop.add_reader, loop.remove_reader)
        )
        timer = None
        try:
            try:
                for sock in wait.sockets:
                    add(sock.fileno(), tell, sock)
            except NotImplementedError:
                return await loop.run_in_executor(None, ready_of, wait.sockets, wait.writing, seconds)
            timer = loop.call_later(seconds, _wake, future)
            await future
        finally:
            self._future = None
            if timer is not None:
                timer.cancel()
                for sock in wait.sockets:
                    if (number := sock.fileno()) >= 0 and not loop.is_closed():
                        remove(number)
        return found


def _fail(future: asyncio.Future[bytes | None], error: Exception) -> None:
    future.set_exception(error)
    # a reader that is cancelled at this moment never asks, which the loop would report
    future.exception()


def _wake(future: asyncio.Future[bytes | None]) -> None:
    if not future.done():
        future.set_result(None)
