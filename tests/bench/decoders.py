"""Prints what decoding and parsing costs for each event, beside `json.loads` in the same run.

    PYTHONPATH=src python tests/bench/decoders.py

The reads are what a fast provider gives: 16 whole events in each.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from llmstream.wire.aws_eventstream import AWSEventStreamDecoder
from llmstream.wire.document import parse_object
from llmstream.wire.json_array import JSONArrayDecoder
from llmstream.wire.message import Decoder, WireMessage
from llmstream.wire.ndjson import NDJSONDecoder
from llmstream.wire.sniff import choose
from llmstream.wire.sse import SSEDecoder

CHUNK = json.dumps(
    {
        "id": "chatcmpl-Bx1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "gpt-4o-mini-2024-07-18",
        "system_fingerprint": "fp_1234567",
        "choices": [{"index": 0, "delta": {"content": " water"}, "logprobs": None, "finish_reason": None}],
        "usage": None,
        "obfuscation": "abcDEF",
    },
    separators=(",", ":"),
)
PER_READ = 16
READS = 2000


def frame(payload: bytes) -> bytes:
    """Return an event stream frame as Bedrock's, with one header."""
    import binascii
    import struct

    header = b"\x0b:event-type\x07\x00\x11contentBlockDelta"
    prelude = struct.pack(">II", 16 + len(header) + len(payload), len(header))
    body = prelude + struct.pack(">I", binascii.crc32(prelude)) + header + payload
    return body + struct.pack(">I", binascii.crc32(body))


def best(action: Callable[[], object], events: int) -> float:
    """Return the best time of five runs, in µs for each of `events`."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times) / events * 1e6


def cost(make: Callable[[], Decoder], reads: list[bytes], *, parsed: bool) -> float:
    """Return µs for each event of `reads`."""

    def run() -> int:
        decoder = make()
        count = 0
        for data in reads:
            messages: list[WireMessage] = decoder.feed(data)
            count += len(messages)
            if parsed:
                for message in messages:
                    parse_object(message.data)
        return count

    return best(run, run())


def main() -> None:
    chunk = CHUNK.encode()
    event = b"data: " + chunk + b"\n\n"
    named = b"event: content_block_delta\n" + event
    crlf = event.replace(b"\n", b"\r\n")
    cut = event * PER_READ * READS
    size = len(event) * PER_READ + 7
    rows: list[tuple[str, Callable[[], Decoder], list[bytes]]] = [
        ("sse", SSEDecoder, [event * PER_READ] * READS),
        ("sse, sniffed", lambda: choose("sse", "text/event-stream"), [event * PER_READ] * READS),
        ("sse, reads cut anywhere", SSEDecoder, [cut[i : i + size] for i in range(0, len(cut), size)]),
        ("sse, one event a read", SSEDecoder, [event] * READS),
        ("sse, named events", SSEDecoder, [named * PER_READ] * READS),
        ("sse, CRLF", SSEDecoder, [crlf * PER_READ] * READS),
        ("ndjson", NDJSONDecoder, [(chunk + b"\n") * PER_READ] * READS),
        ("json array", JSONArrayDecoder, [b"[" + chunk, *[(b"," + chunk) * PER_READ] * READS]),
        ("aws event stream", AWSEventStreamDecoder, [frame(chunk) * PER_READ] * READS),
    ]
    print(f"{'µs an event':28}{'decode':>10}{'and parse':>12}")
    for name, make, reads in rows:
        print(f"{name:28}{cost(make, reads, parsed=False):10.2f}{cost(make, reads, parsed=True):12.2f}")
    loads = best(lambda: [json.loads(CHUNK) and None for _ in range(20_000)], 20_000)
    print(f"{'json.loads alone':28}{loads:22.2f}")


if __name__ == "__main__":
    main()
