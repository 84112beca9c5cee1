"""A recording that is left while its next line is still to come, however far away that is."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from llmstream import LLM, AsyncStream
from tape.served import replayed
from tape.test_replays import TEXTS, rows, write


@pytest.fixture
def slow(tmp_path: Path) -> LLM:
    """A recording whose first words come at once, and all others after an hour."""
    lines = rows()
    hour_away = [line | {"t": 3600.0} for line in lines[3:]]
    return LLM(replayed(write(tmp_path / "r.jsonl", [*lines[:3], *hour_away]), 1))


def test_closing_from_another_thread_ends_the_wait(slow: LLM) -> None:
    stream, begun, found = slow.stream("hi"), threading.Event(), list[str]()

    def read() -> None:
        for chunk in stream:
            found.append(chunk)
            begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(20)
    stream.close()
    stream.close()
    reader.join(20)
    assert not reader.is_alive() and found == [TEXTS[0]]


@pytest.mark.parametrize("where", ["task", "thread"])
def test_closing_from_elsewhere_ends_the_wait_of_a_task(slow: LLM, where: str) -> None:
    async def read(stream: AsyncStream, begun: asyncio.Event) -> list[str]:
        found = []
        async for chunk in stream:
            found.append(chunk)
            begun.set()
        return found

    async def run() -> list[str]:
        stream, begun = slow.astream("hi"), asyncio.Event()
        reader = asyncio.create_task(read(stream, begun))
        await begun.wait()
        if where == "task":
            await stream.aclose()
        else:
            await asyncio.to_thread(lambda: asyncio.run(stream.aclose()))
        await stream.aclose()
        return await reader

    assert asyncio.run(run()) == [TEXTS[0]]


def test_a_loop_that_has_ended_can_be_left_too(slow: LLM) -> None:
    async def begin() -> AsyncStream:
        stream = slow.astream("hi")
        await anext(stream)
        return stream

    asyncio.run(asyncio.run(begin()).aclose())
