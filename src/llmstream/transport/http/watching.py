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
        """Wait until a socket has data.

        The socket stays registered with the loop between waits, and the loop's callback reads it: that costs
        half as much as adding and removing it each time.  Call `leave` before it is closed.

        Args:
            sock: the socket.
            pull: reads it; None if the caller does.

        Returns:
            What `pull` returned; None after a call of `wake`, or if `pull` is None.

        Raises:
            TimeLimitPassed: no data in time.
            Exception: whatever `pull` raised.
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
            # by number: for an unknown socket object, a selector formats a long error message internally
            self.loop.add_reader(number, self._came)
        except NotImplementedError:
            # the default loop on Windows has no such callbacks
            return False
        self._watched = number
        return True

    def leave(self) -> None:
        """Remove the socket from the loop, if one is registered."""
        timer, self._timer, self._wakes_at = self._timer, None, NEVER
        if timer is not None:
            timer.cancel()
        self._unwatch()

    def _unwatch(self) -> None:
        number, self._watched = self._watched, NONE
        if number != NONE and not self.loop.is_closed():
            self.loop.remove_reader(number)

    def wake(self) -> None:
        """End the current wait, without a result."""
        if self._future is not None:
            _wake(self._future)

    def _came(self) -> None:
        future, pull = self._future, self._pull
        if future is None or future.done():
            # nobody waits: the data stays in the system's buffer until somebody does
            self._unwatch()
            return
        self._patience.woke(self.loop.time())
        if pull is None:
            future.set_result(None)
            return
        try:
            data = pull()
            if data is None:
                # the wait continues: start a new slice, so that a suspension in it is noticed
                self._patience.slice(self.loop.time())
        except Exception as error:  # noqa: BLE001  # raised where the data is awaited
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
        """Check the deadline of the current wait."""
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
        """Return the sockets that are ready within `seconds`, none after a call of `wake`."""
        loop = self.loop
        # the registered number may belong to a socket that was closed
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
    # if the reader is cancelled now, nobody retrieves the exception, and the loop would log that
    future.exception()


def _wake(future: asyncio.Future[bytes | None]) -> None:
    if not future.done():
        future.set_result(None)
