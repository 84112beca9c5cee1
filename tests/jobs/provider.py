"""A little provider for jobs, a process of its own: answers at once, keeps a ledger, and fails on request.

The answer to a prompt is ``re: PROMPT``.  A prompt that begins with ``refuse STATUS`` is refused with
that status, one with ``once STATUS`` the first time only, one with ``only MODEL`` unless that model is asked.
One that begins with ``gate NAME`` is answered once ``open NAME`` was asked, or ``GET /open/NAME`` sent;
``gate NAME STATUS`` is refused then, the first time only.
``GET /ledger`` returns the prompts that were asked, in their order; ``GET /wait/NAME`` answers once a gate was asked.
``python provider.py`` prints its port.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import Any

ASKED: list[str] = []
GATES: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
REACHED: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)


def streamed(text: str) -> bytes:
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": text}}]}]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    usage = {"prompt_tokens": len(text), "completion_tokens": 3, "total_tokens": len(text) + 3}
    chunks.append({"choices": [], "usage": usage})
    return b"".join(f"data: {json.dumps(one)}\n\n".encode() for one in chunks) + b"data: [DONE]\n\n"


async def chat(body: dict[str, Any]) -> tuple[int, bytes, str]:
    prompt = str(body["messages"][-1]["content"])
    ASKED.append(prompt)
    kind, _, rest = prompt.partition(" ")
    first = rest.split()[0] if rest else ""
    if kind == "open":
        GATES[first].set()
    elif kind == "gate":
        REACHED[first].set()
        await GATES[first].wait()
        status = rest[len(first) :].strip()
        if status and ASKED.count(prompt) == 1:
            return int(status), b'{"error": {"message": "not this one"}}', "application/json"
    elif kind == "only" and first != body["model"]:
        return 422, b'{"error": {"message": "not for me"}}', "application/json"
    elif kind == "refuse" or (kind == "once" and ASKED.count(prompt) == 1):
        return int(first), b'{"error": {"message": "not this one"}}', "application/json"
    return 200, streamed(f"re: {prompt}"), "text/event-stream"


async def routed(path: str, body: bytes) -> tuple[int, bytes, str]:
    _, what, name = f"{path}/".split("/", 2)
    if what == "open":
        GATES[name.strip("/")].set()
    elif what == "wait":
        await REACHED[name.strip("/")].wait()
    elif what != "ledger":
        return await chat(json.loads(body))
    return 200, json.dumps({"asked": ASKED}).encode(), "application/json"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            _, path, _ = head.decode().split(" ", 2)
            size = next(
                (
                    int(line[15:])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            status, data, kind = await routed(path, await reader.readexactly(size))
            top = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n\r\n"
            writer.write(top.encode() + data)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
