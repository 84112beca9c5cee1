"""A server on loopback whose answers are given piece by piece, and runs against it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from llmstream.engine.policy import Policy
from llmstream.errors import LLMStreamError
from llmstream.events import Event
from llmstream.prompt import Endpoint, Json, Message, Options, Prompt, Secret
from llmstream.record import replace
from llmstream.runnable.calls import abatches, batches
from llmstream.runnable.plan import Plan
from llmstream.runnable.targets import Target
from llmstream.transport.recording import recorded
from llmstream.transport.tape.writer import Recording

KEY = "sk-little-0123456789abcdef"
Piece: TypeAlias = bytes | threading.Event | None
"""Bytes to send at once; an event to wait for; None resets the connection."""
SSE = "text/event-stream"


class Reply(NamedTuple):
    """One answer."""

    pieces: Sequence[Piece]
    status: int = 200
    content_type: str = SSE
    headers: Mapping[str, str] = MappingProxyType({})


class Server:
    """Answers each request with the next reply, the last one again and again; leaves nothing behind."""

    def __init__(self, *replies: Reply | Callable[[bytes], Reply]) -> None:
        self._replies = list(replies)
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._connections: list[socket.socket] = []
        self._waited_for: list[threading.Event] = []
        self._closing = False
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        with socket.create_connection(("127.0.0.1", self.port)):
            self._threads[0].join()  # wakes it: to close a socket doesn't end an accept() everywhere
        self._socket.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for event in self._waited_for:
            event.set()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._closing:
                connection.close()
                return
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._answer, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = b""
            while b"\r\n\r\n" not in request:
                request += _some(connection)
            head, _, body = request.partition(b"\r\n\r\n")
            length = next(
                int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")
            )
            while len(body) < length:
                body += _some(connection)
            self.requests.append(head + b"\r\n\r\n" + body)
            reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
            self._send(connection, reply if isinstance(reply, Reply) else reply(self.requests[-1]))

    def _send(self, connection: socket.socket, reply: Reply) -> None:
        headers = {"content-type": reply.content_type, "connection": "close", **reply.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"HTTP/1.1 {reply.status} X\r\n{lines}transfer-encoding: chunked\r\n\r\n".encode())
        for piece in reply.pieces:
            if piece is None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return
            if isinstance(piece, threading.Event):
                self._waited_for.append(piece)
                piece.wait(30)
            else:
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")


def _some(connection: socket.socket) -> bytes:
    """Return what a connection has next.

    Raises:
        ConnectionError: it was closed.
    """
    if not (data := connection.recv(65536)):
        raise ConnectionError
    return data


class Outcome(NamedTuple):
    """What a run gave: its events, and the error that ended it as scripts see it."""

    events: list[Event]
    error: dict[str, str | int | bool | None] | None


def target(url: str, adapter: str = "openai-chat", *, retries: int = 0, **more: Json) -> Target:
    """Return a target at an address; what else is given goes into the request's body."""
    endpoint = Endpoint("little", "m1", url, Secret(KEY, "$LITTLE_KEY"))
    return Target(adapter, endpoint, Options(extra=more), Policy(max_retries=retries))


def replayed(path: Path, speed: Json = "max") -> Target:
    """Return a target that is a recording."""
    return Target("replay", Endpoint("little", "", ""), Options(extra={"speed": speed}), file=path)


def asked(*targets: Target, text: str = "hello", stream: bool = True) -> Plan:
    """Return a plan that asks these."""
    return Plan(targets, Prompt((Message("user", text),)), stream=stream)


def outcome(plan: Plan, engine: str = "sync", record: Path | None = None) -> Outcome:
    """Carry a plan out on one of the engines, perhaps recording it."""
    if record is not None:
        plan = replace(plan, around=partial(recorded, recording=Recording(record, print)))
    events: list[Event] = []
    error = None
    try:
        if engine == "sync":
            for batch in batches(plan):
                events += batch
        else:
            asyncio.run(_taken(plan, events))
    except LLMStreamError as raised:
        error = dict(raised.to_dict())
    return Outcome(events, error)


async def _taken(plan: Plan, events: list[Event]) -> None:
    async for batch in abatches(plan):
        events += batch


def chat(*texts: str, finish: bool = True) -> bytes:
    """Return the body of a chat answer."""
    return b"".join(chat_pieces(*texts, finish=finish))


def chat_pieces(*texts: str, finish: bool = True) -> Iterator[bytes]:
    """Yield the body of a chat answer, one piece a text."""
    import json

    for text in texts:
        delta = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
        yield b"data: " + json.dumps(delta, ensure_ascii=False).encode() + b"\n\n"
    if finish:
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        yield b"data: " + json.dumps(end).encode() + b"\n\ndata: [DONE]\n\n"
