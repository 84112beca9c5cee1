"""Thousands of streams in one process: nothing grows.

LLMSTREAM_SOAK sets how many streams, 1000 unless said; a full run takes 10000.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from llmstream import LLM
from transport.leaving import join_threads

STREAMS = int(os.environ.get("LLMSTREAM_SOAK", "1000"))
WARM = max(100, STREAMS // 5)
"""Until fifty streams at once have found their place in memory."""
GROWTH_KIB = 2048
"""Allocators and caches settle within this; a leak of 1 KiB a stream would not stay below."""


@pytest.fixture(scope="module")
def llm() -> Iterator[LLM]:
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "server.py")], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline())
        yield LLM("openai/m1", base_url=f"http://127.0.0.1:{port}/v1", api_key="sk-soak")
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


class Held(NamedTuple):
    """What the process holds."""

    kib: int
    descriptors: int
    threads: int
    tasks: int = 0

    @classmethod
    def now(cls, tasks: int = 0) -> Held:
        """Return what it holds once all that nobody holds is gone."""
        gc.collect()
        join_threads()
        status = Path("/proc/self/status").read_text("ascii")
        kib = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
        return cls(kib, len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), tasks)

    def grown_to(self, then: Held) -> None:
        """See that nothing grew; the figures are shown with ``-s``."""
        grown = Held(*(later - before for before, later in zip(self, then, strict=True)))
        print(f"\n{STREAMS} streams: from {self} to {then}, {grown.kib / STREAMS * 1024:.0f} bytes a stream")
        assert grown.kib < GROWTH_KIB
        assert max(grown[1:]) <= 0, grown


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")


@needs_proc
@pytest.mark.timeout(600)
def test_streams_in_a_row_leave_nothing_behind(llm: LLM) -> None:
    def run(count: int) -> None:
        for number in range(count):
            stream = llm.stream("hello")
            if number % 10 == 9:
                next(stream)  # left early
                stream.close()
            else:
                assert "".join(stream) == "one two three"

    run(WARM)
    before = Held.now()
    run(STREAMS)
    before.grown_to(Held.now())


@needs_proc
@pytest.mark.timeout(600)
def test_async_streams_leave_nothing_behind(llm: LLM) -> None:
    async def one(number: int) -> None:
        async with llm.astream("hello") as stream:
            if number % 10 == 9:
                await anext(stream)
            else:
                assert "".join([chunk async for chunk in stream]) == "one two three"

    async def run(count: int) -> Held:
        for begin in range(0, count, 50):
            await asyncio.gather(*(one(begin + n) for n in range(50)))
        # the loop ends generators of httpx that were left early in tasks of its own
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=30)
        return Held.now(len(asyncio.all_tasks()))

    async def main() -> None:
        before = await run(WARM)
        before.grown_to(await run(STREAMS))

    asyncio.run(main())
