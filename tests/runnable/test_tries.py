"""Streams that are left early: while a try fails, while the next is waited for, while a batch is read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator

import pytest

from llmstream import RunConfig, Runnable
from llmstream.engine.effects import Batch
from llmstream.events import TextDelta
from llmstream.runnable.runs import AsyncGiven, Given

DOWN = OSError("down")


class Failing(Runnable[str, str]):
    """Calls something and fails, each time; its streams can't be closed."""

    def __init__(self) -> None:
        self.runs = 0
        self.then: Callable[[], object] = lambda: None

    def _fail(self, text: str) -> str:
        self.runs += 1
        self.then()
        raise DOWN

    def invoke(self, input: str, config: RunConfig | None = None, **options: object) -> str:
        return self._fail(input)

    def stream(self, input: str, config: RunConfig | None = None, **options: object) -> Iterator[str]:
        return map(self._fail, [input])

    def astream(self, input: str, config: RunConfig | None = None, **options: object) -> AsyncIterator[str]:
        outer = self

        class Pieces(AsyncIterator[str]):
            async def __anext__(self) -> str:
                return outer._fail(input)

        return Pieces()


def test_closing_a_stream_from_another_thread_ends_its_pause() -> None:
    failing, closed = Failing(), threading.Event()
    stream = failing.with_retry(stop_after_attempt=50).stream("x")

    closer = threading.Thread(target=lambda: (closed.wait(), stream.close()))  # type: ignore[attr-defined]
    failing.then = closed.set
    closer.start()
    assert list(stream) == []
    closer.join()
    assert failing.runs <= 2


def test_closing_a_stream_from_another_task_ends_its_pause() -> None:
    async def run() -> int:
        failing = Failing()
        stream = failing.with_retry(stop_after_attempt=50).astream("x")
        reading = asyncio.ensure_future(anext(stream, "end"))
        while not failing.runs:
            await asyncio.sleep(0)
        await stream.aclose()  # type: ignore[attr-defined]
        await stream.aclose()  # type: ignore[attr-defined]
        assert await reading == "end"
        return failing.runs

    assert asyncio.run(run()) == 1


def test_a_failure_after_the_end_is_nobodys() -> None:
    failing = Failing()
    stream = failing.with_retry().stream("x")
    failing.then = stream.close  # type: ignore[attr-defined]
    assert list(stream) == []
    assert failing.runs == 1

    async def run() -> list[str]:
        stream = failing.with_retry().astream("x")
        failing.then = lambda: setattr(stream, "_closed", True)
        return [piece async for piece in stream]

    assert asyncio.run(run()) == []


def test_leaving_the_block_of_a_stream_closes_it() -> None:
    failing = Failing()
    with failing.with_retry().stream("x") as stream:  # type: ignore[attr-defined]
        pass
    assert list(stream) == []

    async def run() -> list[str]:
        async with failing.with_retry().astream("x") as stream:  # type: ignore[attr-defined]
            pass
        return [piece async for piece in stream]

    assert asyncio.run(run()) == []
    assert failing.runs == 0


def batch() -> Batch:
    return [TextDelta("x")]


def test_a_run_that_is_closed_while_it_is_read_ends_with_the_batch_under_way() -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def batches() -> Generator[Batch, None, None]:
        try:
            while True:
                begun.set()
                go_on.wait()
                yield batch()
        finally:
            ended.set()

    run = Given(batches())
    found: list[Batch] = []
    reader = threading.Thread(target=lambda: found.extend(run))
    reader.start()
    begun.wait()
    run.close()
    assert not ended.is_set()
    go_on.set()
    reader.join()
    assert len(found) == 1
    assert ended.is_set()
    assert list(run) == []


@pytest.mark.parametrize("how", ["closed", "cancelled"])
def test_a_run_of_a_loop_ends_at_once_while_it_is_read(how: str) -> None:
    ended: list[str] = []

    async def batches() -> AsyncGenerator[Batch, None]:
        try:
            yield batch()
            await asyncio.Event().wait()
        finally:
            ended.append(how)

    async def run() -> None:
        given = AsyncGiven(batches())
        assert await anext(given) == batch()
        reading = asyncio.ensure_future(anext(given, "end"))
        await asyncio.sleep(0)
        if how == "closed":
            await given.aclose()
            assert await reading == "end"
        else:
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await given.aclose()
        assert await anext(given, "end") == "end"

    asyncio.run(run())
    assert ended == [how]
