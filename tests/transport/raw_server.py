"""A server that counts connections and answers each request as a test says, on real sockets in threads."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from llmstream import LLM
from llmstream.engine.policy import Policy
from llmstream.prompt import Endpoint, Options, Secret
from llmstream.runnable.targets import Target

Handler = Callable[[socket.socket, int], bool | None]
"""Answers one request, whose number among all is given, from 1; False closes the connection."""


def event(text: str | None = None, reason: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    document = {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    return f"data: {json.dumps(document)}\n\n".encode()


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = event(None, "stop") + b"data: [DONE]\n\n"
ANSWER = HEAD + chunked(event("Hello"), END) + b"0\r\n\r\n"


def answers(connection: socket.socket, number: int) -> None:
    connection.sendall(ANSWER)


class RawServer:
    """Listens on this machine.

    Args:
        handler: answers.
        host: where.
        context: for TLS.
    """

    def __init__(
        self, handler: Handler = answers, host: str = "127.0.0.1", context: ssl.SSLContext | None = None
    ) -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self.handler = handler
        self.left = threading.Semaphore(0)
        self._context = context
        self._socket = socket.create_server((host, 0))
        self.port: int = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            # closing alone would leave the thread that accepts waiting for ever
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def drop_idle(self) -> None:
        """Close all connections, as a server does with those that are idle too long."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._open.append(connection)
            while self._request(connection) and self.handler(connection, len(self.heads)) is not False:
                pass
        except OSError:
            pass
        finally:
            connection.close()
            self.left.release()

    def _request(self, connection: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                while len(body) < int(line[15:]):
                    body += connection.recv(65536)
        self.heads.append(head)
        return True

    def llm(self, **more: object) -> LLM:
        """Return a model of this server; takes what `target` does."""
        return LLM(self.target(**more))  # type: ignore[arg-type]

    def target(
        self, *, host: str = "127.0.0.1", scheme: str = "http", retries: int = 0, **more: object
    ) -> Target:
        """Return what a model of this server is asked by."""
        endpoint = Endpoint(
            "raw", "m", f"{scheme}://{host}:{self.port}/v1", Secret("sk-raw-0123", "$RAW_KEY")
        )
        policy = Policy(max_retries=retries, connect=10, first_token=20, idle=20)
        return Target("openai-chat", endpoint, Options(), policy, **more)  # type: ignore[arg-type]


@contextmanager
def serving(
    handler: Handler = answers, host: str = "127.0.0.1", context: ssl.SSLContext | None = None
) -> Iterator[RawServer]:
    """Serve as long as the block runs."""
    server = RawServer(handler, host, context)
    try:
        yield server
    finally:
        server.close()
