"""A completions endpoint that answers as fast as it is read; its first output line is its ports.

    python endpoint.py [CERTIFICATE_AND_KEY.pem]

The ports: HTTP, HTTPS (0 without a certificate), and one that takes a TLS client's first message and
hangs up.  Each further line is when a request (or that first message) was complete, in nanoseconds of the
monotonic clock.

Each event is an HTTP chunk of its own, sixteen to a write.  `max_tokens` of the request is the number of
tokens.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
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


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
    body = json.loads(await reader.readexactly(length))
    print(time.monotonic_ns(), flush=True)
    events = [chunk((EVENT % number).encode()) for number in range(body["max_tokens"])]
    for begin in range(0, len(events), TOGETHER):
        writer.write((HEAD if begin == 0 else b"") + b"".join(events[begin : begin + TOGETHER]))
        await writer.drain()
    writer.write(b"".join(map(chunk, END)) + b"0\r\n\r\n")
    await writer.drain()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            await answer(reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    print(time.monotonic_ns(), flush=True)
    writer.close()


async def main() -> None:
    encrypted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    servers = [await asyncio.start_server(serve, "127.0.0.1", 0)]
    servers.append(await asyncio.start_server(hang_up, "127.0.0.1", 0))
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    if sys.argv[1:]:
        encrypted.load_cert_chain(sys.argv[1])
        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0, ssl=encrypted))
        ports.insert(1, servers[-1].sockets[0].getsockname()[1])
    else:
        ports.insert(1, 0)
    print(*ports, flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
