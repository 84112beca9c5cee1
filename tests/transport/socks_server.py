"""A SOCKS 5 proxy on real sockets, which does what one test wants of it (RFC 1928, RFC 1929)."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar

from llmstream.transport.http.pool import POOL

BOUND = {1: bytes(4), 3: b"\x09proxy.lan", 4: bytes(16)}
"""The address that the proxy says it asks from, by its kind: IPv4, a name, IPv6."""


class SocksProxy(socketserver.ThreadingTCPServer):
    """Leads every connection to one server, whatever it is asked for.

    Args:
        port: of that server.
        password: `user:password` that it wants, empty for none.
        status: of its reply; 0 for a connection.
        bound: kind of the address in its reply.
        said: what it says in place of anything else; None to speak SOCKS.
    """

    daemon_threads = True
    block_on_close = True

    def __init__(
        self, port: int, *, password: str = "", status: int = 0, bound: int = 1, said: bytes | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.leads_to = port
        self.password = password
        self.status = status
        self.bound = bound
        self.said = said
        self.asked: list[tuple[int, str, int]] = []
        self.address = f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""


class _Connection(socketserver.BaseRequestHandler):
    server: SocksProxy
    request: socket.socket
    sizes: ClassVar = {1: 4, 4: 16}

    def handle(self) -> None:
        if self.server.said is not None:
            self.request.sendall(self.server.said)
            return
        if not self._let_in():
            return
        kind, host, port = self._place()
        self.server.asked.append((kind, host, port))
        reply = bytes([5, self.server.status, 0, self.server.bound]) + BOUND[self.server.bound] + b"\0\0"
        for at in range(len(reply)):
            self.request.sendall(reply[at : at + 1])
        if self.server.status == 0:
            self._lead()

    def _let_in(self) -> bool:
        _, count = self._read(2)
        method = 2 if self.server.password else 0
        if method not in self._read(count):
            self.request.sendall(b"\x05\xff")
            return False
        self.request.sendall(bytes([5, method]))
        if method == 0:
            return True
        _, size = self._read(2)
        user = self._read(size)
        password = self._read(self._read(1)[0])
        good = b":".join((user, password)).decode() == self.server.password
        self.request.sendall(bytes([1, 0 if good else 1]))
        return good

    def _place(self) -> tuple[int, str, int]:
        *_, kind = self._read(4)
        host = self._read(self.sizes[kind] if kind in self.sizes else self._read(1)[0])
        said = host.decode() if kind == 3 else socket.inet_ntop([0, 2, 0, 0, 10][kind], host)
        return kind, said, int.from_bytes(self._read(2), "big")

    def _lead(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.leads_to)) as there:
            back = threading.Thread(target=_carry, args=(there, self.request))
            back.start()
            _carry(self.request, there)
            with suppress(OSError):
                there.shutdown(socket.SHUT_RDWR)
            back.join()

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.request.recv(count - len(data))
            if not more:
                raise ConnectionError("the client went away")
            data += more
        return data


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)


@contextmanager
def socks(
    port: int, *, password: str = "", status: int = 0, bound: int = 1, said: bytes | None = None
) -> Iterator[SocksProxy]:
    """Run a proxy as long as the block runs."""
    with SocksProxy(port, password=password, status=status, bound=bound, said=said) as proxy:
        serving = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()
            POOL.close()
