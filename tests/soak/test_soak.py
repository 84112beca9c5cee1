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

import pytest

from llmstream import LLM

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
        os.environ["LLMSTREAM_SOAK_KEY"] = "sk-soak"
        yield LLM("openai/m1", base_url=f"http://127.0.0.1:{port}/v1", api_key="sk-soak")
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def resident_kib() -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


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
    gc.collect()
    before = resident_kib(), descriptors(), threading.active_count()
    run(STREAMS)
    gc.collect()
    assert resident_kib() - before[0] < GROWTH_KIB
    assert descriptors() <= before[1]
    assert threading.active_count() <= before[2]


@needs_proc
@pytest.mark.timeout(600)
def test_async_streams_leave_nothing_behind(llm: LLM) -> None:
    async def one(number: int) -> None:
        async with llm.astream("hello") as stream:
            if number % 10 == 9:
                await anext(stream)
            else:
                assert "".join([chunk async for chunk in stream]) == "one two three"

    async def run(count: int) -> None:
        for begin in range(0, count, 50):
            await asyncio.gather(*(one(begin + n) for n in range(50)))

    async def main() -> tuple[int, int, int, int, int, int]:
        await run(WARM)
        gc.collect()
        before = resident_kib(), descriptors(), len(asyncio.all_tasks())
        await run(STREAMS)
        gc.collect()
        # the loop ends generators of httpx that were left early in tasks of its own
        for _ in range(500):
            if len(asyncio.all_tasks()) <= before[2]:
                break
            await asyncio.sleep(0.01)
        return *before, resident_kib(), descriptors(), len(asyncio.all_tasks())

    memory, files, tasks, memory_then, files_then, tasks_then = asyncio.run(main())
    assert memory_then - memory < GROWTH_KIB
    assert files_then <= files
    assert tasks_then <= tasks
