"""A completions endpoint that answers as fast as it is read; its first output line is its port.

Each event is an HTTP chunk of its own, sixteen to a write.  `max_tokens` of the request is the
number of tokens, `rate` in its `user` field how many a second (0: as fast as possible).
"""

from __future__ import annotations

import asyncio
import json
import time

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = (
    'data: {"id":"cmpl-1","object":"text_completion","created":1,"choices":[{"text":" w%05d","index":0,'
    '"logprobs":null,"finish_reason":null}],"model":"m"}\n\n'
)
END = (
    b'data: {"choices":[{"text":"","index":0,"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
)
TOGETHER = 16


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
    body = json.loads(await reader.readexactly(length))
    print(time.monotonic_ns(), flush=True)
    writer.write(HEAD)
    events = [chunk((EVENT % number).encode()) for number in range(body["max_tokens"])]
    for begin in range(0, len(events), TOGETHER):
        writer.write(b"".join(events[begin : begin + TOGETHER]))
        await writer.drain()
    writer.write(b"".join(map(chunk, END)) + b"0\r\n\r\n")
    await writer.drain()
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
