"""A little provider that answers as each request tells it to; a process of its own.

A request's JSON body may hold ``tag``, a name to ask for it by, and ``scripts``: the steps of the
first, second, ... answer to requests of that tag, the last one again for all that follow.  A step
is a list, see `Answer`.  Without a script there comes `VERSE`, always the same, in the dialect of the path.

Control, also by HTTP, each answered with all requests of the tag: ``GET /seen/TAG/N`` waits until there
are N, ``/left/TAG/N`` until the clients of N have gone, ``/played/TAG/N`` until N were answered;
``/open/GATE`` lets ``["gate", GATE]`` go on;
``/quiet/`` waits until nobody but who asks is connected.
The first line of standard output is the port.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Any

VERSE = ["Bub", "bles ", "rise", " — ", "in my", " glass,\n", "été", " 🥤", "!"]
USAGE = {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}
TLS = b"\x16\x03"
"""What a client begins with that takes this for an https server."""
HEADERS = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}


class State:
    """What all connections share."""

    def __init__(self) -> None:
        self.requests: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.left: dict[str, int] = defaultdict(int)
        self.played: dict[str, int] = defaultdict(int)
        self.connected = 0
        self.news = asyncio.Event()
        self.gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def tell(self) -> None:
        """Wake all who wait for something to happen."""
        self.news.set()
        self.news = asyncio.Event()

    async def until(self, happened: Callable[[], bool]) -> None:
        while not happened():
            await self.news.wait()


class Peer(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(self, state: State) -> None:
        self.state = state
        self.writable = asyncio.Event()
        self.writable.set()
        self.gone = asyncio.Event()
        self.tag = ""
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.state.connected += 1

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.set()
        self.writable.set()
        self.state.left[self.tag] += 1
        self.state.connected -= 1
        self.state.tell()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._buffer.startswith(TLS):
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            self.transport.close()
        elif self._task is None or self._task.done():
            self._next()

    def _next(self) -> None:
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._task = asyncio.get_running_loop().create_task(self._answer(first, headers, rest[:length]))
        self._task.add_done_callback(
            lambda task: None if task.cancelled() or task.exception() else self._next()
        )

    async def _answer(self, first: str, headers: dict[str, str], body: bytes) -> None:
        method, target, _ = first.split(" ")
        path = "/" + target.split("/", 3)[3] if target.startswith("http") else target
        if method == "GET":
            await self._control(path)
            return
        document = json.loads(body)
        self.tag = str(document.get("tag", ""))
        record = {"method": method, "target": target, "headers": headers, "body": document}
        number = len(self.state.requests[self.tag])
        self.state.requests[self.tag].append(record)
        if self.gone.is_set():  # before its tag was known
            self.state.left[self.tag] += 1
        self.state.tell()
        answer = Answer(self, path, document)
        scripts = document.get("scripts")
        await answer.play(scripts[min(number, len(scripts) - 1)] if scripts else answer.verse())
        self.state.played[self.tag] += 1
        self.state.tell()

    async def _control(self, path: str) -> None:
        order, name, count = [*path.split("/")[1:], "0"][:3]
        state = self.state
        if order == "seen":
            await state.until(lambda: len(state.requests[name]) >= int(count))
        elif order == "left":
            await state.until(lambda: state.left[name] >= int(count))
        elif order == "played":
            await state.until(lambda: state.played[name] >= int(count))
        elif order == "quiet":
            await state.until(lambda: state.connected == 1)
        elif order == "open":
            state.gates[name].set()
        body = json.dumps(state.requests[name]).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


class Answer:
    """One answer: each step is a method's name and its arguments."""

    def __init__(self, peer: Peer, path: str, document: dict[str, Any]) -> None:
        self.peer = peer
        self.document = document
        self.chat = path.endswith("chat/completions")

    async def play(self, script: list[list[Any]]) -> None:
        for name, *arguments in script:
            if self.peer.gone.is_set():
                return
            await getattr(self, name)(*arguments)
            await self.peer.writable.wait()

    def verse(self) -> list[list[Any]]:
        """Return the script of the answer that is always the same."""
        if not self.document.get("stream"):
            return [["whole", "".join(VERSE)]]
        return [["head"], *(["text", text] for text in VERSE), ["finish", "stop"], ["done"]]

    async def head(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} As told"]
        lines += [f"{name}: {value}" for name, value in (HEADERS if headers is None else headers).items()]
        await self.raw("\r\n".join([*lines, "", ""]))

    async def raw(self, text: str) -> None:
        """Send bytes as they are; characters stand for bytes."""
        self._send(text.encode("latin-1"))

    def _send(self, data: bytes) -> None:
        if not self.peer.transport.is_closing():
            self.peer.transport.write(data)

    async def chunk(self, text: str) -> None:
        """Send text as one HTTP chunk."""
        data = text.encode()
        self._send(b"%x\r\n%s\r\n" % (len(data), data))

    async def event(self, document: object) -> None:
        await self.chunk(f"data: {json.dumps(document)}\n\n")

    async def text(self, text: str, reason: str | None = None) -> None:
        await self.event({"id": "a-1", "object": "text", "created": 1, "model": "m", "choices": [
            {"index": 0, "finish_reason": reason, "delta": {"content": text}} if self.chat else
            {"index": 0, "finish_reason": reason, "text": text, "logprobs": None}]})  # fmt: skip

    async def finish(self, reason: str) -> None:
        await self.text("", reason)
        if (self.document.get("stream_options") or {}).get("include_usage"):
            await self.event({"id": "a-1", "object": "text", "created": 1, "model": "m", "choices": [],
                              "usage": USAGE})  # fmt: skip

    async def done(self) -> None:
        """Send the end mark, and end the body."""
        await self.chunk("data: [DONE]\n\n")
        await self.raw("0\r\n\r\n")

    async def whole(self, text: str) -> None:
        choice = {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}
        document = {"id": "a-1", "object": "text", "created": 1, "model": "m", "usage": USAGE,
                    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, **choice}]}  # fmt: skip
        await self.refuse(200, document)

    async def refuse(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        """Send one document."""
        body = json.dumps(document)
        length = {"content-type": "application/json", "content-length": str(len(body.encode()))}
        await self.head(status, {**length, **(headers or {})})
        self._send(body.encode())

    async def drip(self, text: str, seconds: float) -> None:
        """Send bytes one by one, `seconds` apart, again and again until the client goes."""
        while not self.peer.gone.is_set():
            for character in text:
                await self.raw(character)
                await asyncio.sleep(seconds)

    async def comments(self, seconds: float, gate: str = "") -> None:
        """Keep the connection alive with comments, until a gate opens or the client goes."""
        while not (self.peer.gone.is_set() or self.peer.state.gates[gate].is_set()):
            await self.chunk(": still here\n\n")
            await asyncio.sleep(seconds)

    async def murmur(self, text: str, seconds: float) -> None:
        """Send a delta again and again until the client goes."""
        while not self.peer.gone.is_set():
            await self.text(text)
            await asyncio.sleep(seconds)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def gate(self, name: str) -> None:
        await self.peer.state.gates[name].wait()

    async def hang(self) -> None:
        await self.peer.gone.wait()

    async def close(self) -> None:
        self.peer.transport.close()

    async def reset(self) -> None:
        """End the connection with a TCP reset."""
        ending = bytes([1, 0, 0, 0, 0, 0, 0, 0])  # struct linger: on, no time
        self.peer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ending)
        self.peer.transport.abort()


async def main() -> None:
    state = State()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Peer(state), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
