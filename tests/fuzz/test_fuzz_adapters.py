"""Mutated recordings through each dialect: whatever comes, only our own errors leave the engine.

LLMSTREAM_FUZZ_SECONDS sets how long each dialect is tried, half a second unless said.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from canned import Canned

from llmstream.adapters.registry import ADAPTERS, adapter
from llmstream.engine.conversation import converse
from llmstream.engine.effects import Call, Prepare
from llmstream.engine.policy import Policy
from llmstream.errors import LLMStreamError
from llmstream.prompt import Endpoint, Message, Options, Prompt

SECONDS = float(os.environ.get("LLMSTREAM_FUZZ_SECONDS", "0.5"))
RECORDINGS = Path(__file__).parent.parent / "adapters" / "recordings"
TYPES = {
    "ollama": "application/x-ndjson",
    "bedrock": "application/vnd.amazon.eventstream",
}
INTERESTING = [
    b"\x00", b"\xff\xfe", b"\r", b"\n\n", b"data:", b"data: [DONE]\n\n", b"{", b"}", b"[", b"null", b"1e999",
    b'"\\ud83d"', b'{"error":{"message":"x"}}', b"event: error\n", b"-1", b"99999999999999999999",
    b"\xe2\x80\xa8",
]  # fmt: skip


def bodies_of(name: str) -> list[bytes]:
    """Return the recorded bodies of a dialect, and a small one where there are none."""
    found = [p.read_bytes() for p in sorted(RECORDINGS.rglob("*")) if p.is_file() and name in str(p)]
    return [body[:20_000] for body in found if body] or [b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n']


def mutated(body: bytes, rng: random.Random) -> bytes:
    """Return a body with a few bytes changed, cut, doubled or inserted."""
    data = bytearray(body)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at : at + rng.randint(1, 60)]
        elif kind == 2:
            data[at:at] = rng.choice(INTERESTING)
        else:
            data[at:at] = data[at : at + rng.randint(1, 200)]
    return bytes(data)


def cut(body: bytes, rng: random.Random) -> Iterator[bytes]:
    """Yield a body in pieces of random sizes."""
    while body:
        size = rng.choice([1, 7, 64, 1024, len(body)])
        yield body[:size]
        body = body[size:]


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_only_our_errors_leave_the_engine(name: str, record_property: Callable[[str, object], None]) -> None:
    from llmstream.transport.drivers import Run

    seed = random.randrange(2**32)
    rng = random.Random(seed)
    endpoint = Endpoint("p", "m", "http://127.0.0.1/v1")
    call = Call(adapter(name), endpoint, Prompt((Message("user", "hi"),)), Options(), Policy(max_retries=0))
    bodies = bodies_of(name)
    deadline, tried = time.monotonic() + SECONDS, 0
    while tried <= 20 or time.monotonic() < deadline:
        body = mutated(rng.choice(bodies), rng)
        transport = Canned(cut(body, rng), TYPES.get(name, "text/event-stream"))
        try:
            for batch in Run(converse([Prepare(lambda: call)], time.monotonic, rng.random), transport):
                assert batch
        except LLMStreamError as error:
            assert error.message
        except Exception as error:
            raise AssertionError(f"seed {seed}, try {tried}: {body[:2000]!r}") from error
        tried += 1
    record_property("tried", tried)
