"""Connects to a host: tries all its addresses, starting the next one before the previous one has failed.

Our own instead of httpx to save CPU: 195 µs per answer against 595, 7.6 µs per token against 15.4.

Written once for both engines, as a generator that yields what it waits for.

Source: RFC 8305 ("Happy Eyeballs"), sections 4 (order of families) and 5 (the delay between attempts).
"""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Generator, Sequence
from typing import Final, TypeAlias, TypeVar

from llmstream.engine.effects import NEVER
from llmstream.errors import ConnectionFailed, TimeLimitPassed
from llmstream.record import Record
from llmstream.transport.http.address import numeric
from llmstream.transport.patience import TICK, Patience

NEXT_ADDRESS: Final = 0.25
"""Seconds after which the next address is tried, while earlier ones are still being tried."""
LOOK: Final = 0.1
"""Longest wait, in seconds, while there is no connection yet whose shutdown would end the wait."""
_UNDER_WAY: Final = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY, errno.EINTR})
_CUT_OFF: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})

T = TypeVar("T")


class Wait(Record):
    """Wait until one of some sockets is ready; the driver sends back those that are.

    Args:
        sockets: to wait for.
        writing: wait until they accept data or are connected; otherwise until they have data.
        seconds: after which the wait ends with none.
        head: the request was sent on the only socket, and the head of the response is awaited.
    """

    sockets: Sequence[socket.socket]
    writing: bool = False
    seconds: float = TICK
    head: bool = False


Waiting: TypeAlias = Generator[Wait, Sequence[socket.socket], T]
"""Steps to a result, which wait for sockets in between; carried out on a thread or on a loop."""


class ConnectLimit:
    """The single time limit for DNS, proxy, TCP and TLS, over all addresses.

    Args:
        seconds: 0 for none.
    """

    def __init__(self, seconds: float) -> None:
        self._patience = Patience(time.monotonic() + seconds if seconds else NEVER)

    def slice(self, longest: float = LOOK) -> float:
        """Return how many seconds to wait before checking again, at most `longest`.

        Raises:
            TimeLimitPassed: the limit has passed.
        """
        try:
            return self._patience.slice(time.monotonic(), longest)
        except TimeLimitPassed as error:
            raise TimeLimitPassed("no connection in time", phase="connect") from error


def connected(host: str, port: int, limit: ConnectLimit) -> Waiting[socket.socket]:
    """Return a non-blocking socket that is connected to the first address that answers.

    Raises:
        ConnectionFailed: the name is unknown, or no address answers.
        TimeLimitPassed: the limit passed before that.
    """
    waiting = _in_turn((yield from _looked_up(host, port, limit)))
    trying: list[socket.socket] = []
    failure = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    next_at = 0.0
    try:
        while waiting or trying:
            now = time.monotonic()
            if waiting and (now >= next_at or not trying):
                begun = _begun(*waiting.pop(0))
                if isinstance(begun, OSError):
                    failure = begun
                else:
                    trying.append(begun)
                    next_at = now + NEXT_ADDRESS
                continue
            until = min(LOOK, next_at - now) if waiting else LOOK
            for sock in (yield Wait(tuple(trying), writing=True, seconds=limit.slice(until))):
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                trying.remove(sock)
                if not number:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return sock
                sock.close()
                failure = OSError(number, os.strerror(number))
    finally:
        for sock in trying:
            sock.close()
    hint = "check the network connection" if failure.errno in _CUT_OFF else ""
    said = f"no connection: {failure.strerror or failure}"
    raise ConnectionFailed(said, hint=hint, phase="connect") from failure


_Address: TypeAlias = tuple[int, tuple[str | int, ...]]
_Found: TypeAlias = list[_Address]


class _Socket(socket.socket):
    """A socket without a ResourceWarning if it is garbage-collected with the response that would close it."""

    def __del__(self) -> None:
        # -1 if it could not be created
        if self.fileno() >= 0:
            self.close()


def _begun(family: int, address: tuple[str | int, ...]) -> socket.socket | OSError:
    """Return a socket that is connecting to an address, or the error that prevented it."""
    try:
        sock = _Socket(family, socket.SOCK_STREAM)
    except OSError as error:
        return error
    sock.setblocking(False)
    number = sock.connect_ex(address)
    if number in _UNDER_WAY:
        return sock
    sock.close()
    return OSError(number, os.strerror(number))


def _in_turn(addresses: _Found) -> _Found:
    """Return addresses with alternating families, starting with the family of the first address."""
    first = addresses[0][0]
    ours = [one for one in addresses if one[0] == first]
    others = [one for one in addresses if one[0] != first]
    mixed: _Found = []
    while ours or others:
        mixed += ours[:1] + others[:1]
        ours, others = ours[1:], others[1:]
    return mixed


def _looked_up(host: str, port: int, limit: ConnectLimit) -> Waiting[_Found]:
    """Return a name's addresses; a look-up can't be cancelled, so its thread may be abandoned."""
    outcome = _ask(host, port) if numeric(host) else (yield from _asked_beside(host, port, limit))
    if isinstance(outcome, Exception):
        said = outcome.strerror if isinstance(outcome, OSError) and outcome.strerror else str(outcome)
        hint = f'check the host name ("{host}") and the network connection'
        raise ConnectionFailed(f"no connection: {said}", hint=hint, phase="connect") from outcome
    return outcome


def _asked_beside(host: str, port: int, limit: ConnectLimit) -> Waiting[_Found | Exception]:
    found: list[_Found | Exception] = []
    done, told = socket.socketpair()

    def look_up() -> None:
        found.append(_ask(host, port))
        told.close()

    try:
        done.setblocking(False)
        threading.Thread(target=look_up, name="llmstream-look-up", daemon=True).start()
        while not found:
            yield Wait((done,), seconds=limit.slice())
    finally:
        done.close()
    return found[0]


def _ask(host: str, port: int) -> _Found | Exception:
    # a str would be encoded by the idna codec, whose import takes longer than connecting
    name = host.encode("ascii") if host.isascii() else host
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except Exception as error:  # noqa: BLE001  # raised where the result is awaited
        return error
    return [(family, address) for family, _, _, _, address in found]  # type: ignore[misc]  # str and int
