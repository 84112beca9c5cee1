"""An input that has to be waited for: read by a thread, no further ahead than it is asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from jobs.test_keys import asker
from llmstream.errors import UsageError
from llmstream.jobs.feeds import Judge, PipeFeed
from llmstream.jobs.inputs import Ask
from llmstream.jobs.ledger import Ledger
from llmstream.jobs.rows import RowOrBad, row_of


def rows(*texts: str) -> list[RowOrBad]:
    found = [row_of(text.encode(), number) for number, text in enumerate(texts, 1)]
    return [row for row in found if row is not None]


def feed(pieces: Iterator[list[RowOrBad]]) -> PipeFeed:
    return PipeFeed(pieces, Judge(asker(), Ledger(repeatable=False)))


def test_an_input_that_breaks_breaks_for_who_waits_for_it() -> None:
    def pieces() -> Iterator[list[RowOrBad]]:
        yield rows("one")
        raise UsageError("it broke")

    async def taken() -> None:
        source = feed(pieces())
        first = await source.take()
        assert isinstance(first, Ask)
        with pytest.raises(UsageError, match="it broke"):
            await source.take()

    asyncio.run(taken())


def test_who_waits_at_the_end_is_told_that_it_is_the_end() -> None:
    async def taken() -> list[object]:
        source = feed(iter([rows("one")]))
        return list(await asyncio.gather(*(source.take() for _ in range(4))))

    found = asyncio.run(taken())
    assert [one is None for one in found].count(True) == 3


def test_nothing_is_read_before_it_is_wanted_nor_after_nobody_wants_it() -> None:
    read: list[int] = []
    go_on = threading.Event()

    def pieces(last: BaseException | None) -> Iterator[list[RowOrBad]]:
        read.append(1)
        go_on.wait()
        if last is not None:
            raise last
        yield from ()

    async def left(last: BaseException | None) -> None:
        read.clear()
        go_on.clear()
        source = feed(pieces(last))
        assert read == []
        waiting = asyncio.ensure_future(source.take())
        while not read:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()
        threads = [one for one in threading.enumerate() if one.name == "llmstream-input"]
        for thread in threads:
            await asyncio.to_thread(thread.join)
        # what the thread told the loop is heard now
        await asyncio.sleep(0)

    for last in (None, UsageError("too late")):
        asyncio.run(left(last))
    assert read == [1]


def test_the_thread_that_reads_ends_with_the_job_that_asks_for_no_more() -> None:
    read: list[int] = []

    def pieces() -> Iterator[list[RowOrBad]]:
        while True:
            read.append(1)
            yield rows("one")

    async def taken() -> None:
        before = set(threading.enumerate())
        source = feed(pieces())
        assert isinstance(await source.take(), Ask)
        (thread,) = set(threading.enumerate()) - before
        source.close()
        await asyncio.to_thread(thread.join, 30)
        assert not thread.is_alive()
        assert await source.take() is None

    asyncio.run(taken())
    assert read == [1]
