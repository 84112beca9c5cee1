"""An answer that is left, wherever it is: the connection is closed, and nothing of the run stays behind."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from llmstream import LLM, Completion
from llmstream.engine.policy import Policy
from llmstream.prompt import Endpoint
from llmstream.runnable.targets import Target
from runnable.little_server import VERSE, LittleServer, Script, new_tag
from transport.leaving import CancelledAt, join_threads, needs_proc, open_now, settled

TEXT = "".join(VERSE)


class Use:
    """How the answer is used; keeps what came, and the completion of those that have one."""

    def __init__(self, llm: LLM) -> None:
        self.llm = llm
        self.found: list[str] = []
        self.completion: Callable[[], Completion] | None = None

    async def astream(self) -> None:
        stream = self.llm.astream("hello")
        self.completion = lambda: stream.completion
        async for chunk in stream:
            self.found.append(chunk)

    async def astream_in_a_block(self) -> None:
        async with self.llm.astream("hello") as stream:
            self.completion = lambda: stream.completion
            async for chunk in stream:
                self.found.append(chunk)

    async def ainvoke(self) -> None:
        self.found.append(str(await self.llm.ainvoke("hello")))

    async def aevents(self) -> None:
        async for event in self.llm.aevents("hello"):
            self.found.append(getattr(event, "text", ""))

    async def astream_events(self) -> None:
        async for event in self.llm.astream_events("hello"):
            data: Any = event["data"]
            self.found.append(data.get("chunk", ""))


Using = Callable[[Use], Coroutine[Any, Any, None]]
USES: list[Using] = [Use.astream, Use.astream_in_a_block, Use.ainvoke, Use.aevents, Use.astream_events]
AT_THESE_TIMES = pytest.mark.parametrize("late", [False, True], ids=["while it waits", "when that is there"])


async def cancelled_at(one: Use, use: Using, number: int, *, late: bool) -> bool:
    """Return whether a run waited that often, and was cancelled there."""
    running = CancelledAt(use(one), number, late=late)
    task = asyncio.ensure_future(running)
    await asyncio.wait([task])
    if running.reached:
        assert task.cancelled()
    else:
        task.result()
        assert "".join(one.found) == TEXT
    if one.completion is not None:
        done = one.completion()
        assert done.text.startswith("".join(one.found))
        assert done.finish_reason == "cancelled" or done.text == TEXT
    return running.reached


async def every_await(make: Callable[[], LLM], use: Using, after: Callable[[], object], *, late: bool) -> int:
    """Cancel one run after the other, each at its next await, and return how many there are.

    Args:
        make: makes each run's model.
        use: what each does.
        after: called after each, to look for what is left.
        late: as `CancelledAt` has it.
    """
    await cancelled_at(Use(make()), use, 10_000, late=late)
    before = open_now()
    missed = 0
    for number in itertools.count():
        # what comes in one read leaves out a wait: only after some misses was that the last
        missed = 0 if await cancelled_at(Use(make()), use, number, late=late) else missed + 1
        await settled(before)
        after()
        if missed == 3:
            return number - 2
    raise AssertionError("endless")


REFUSED: Script = [["refuse", 503, {}, {"retry-after-ms": "1"}]]
# the pauses make each delta come in a read of its own
ANSWER: Script = [
    ["head"], *(step for text in VERSE for step in (["text", text], ["pause", 0.001])), ["finish", "stop"], ["done"],
]  # fmt: skip


@needs_proc
@AT_THESE_TIMES
@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_a_task_can_be_cancelled_at_every_await(little: LittleServer, use: Using, late: bool) -> None:
    def make() -> LLM:
        return little.llm(REFUSED, ANSWER, tag=new_tag(), policy=Policy(max_retries=1))

    # at the least: connect and read of both attempts, and the wait between them; what has come already is not awaited
    assert asyncio.run(every_await(make, use, little.quiet, late=late)) >= 5


SLOWLY = (
    f"import sys, time\nfor text in {VERSE}:\n sys.stdout.write(text); sys.stdout.flush(); time.sleep(0.001)"
)


def children() -> set[int]:
    """Return the processes that we started and have not seen the end of."""
    return {
        int(one) for found in Path("/proc/self/task").glob("*/children") for one in found.read_text().split()
    }


@needs_proc
@AT_THESE_TIMES
@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_a_task_with_a_command_can_be_cancelled_at_every_await(use: Using, late: bool) -> None:
    before = children()
    target = Target(
        "exec", Endpoint("own", "m", ""), command=(sys.executable, "-S", "-X", "utf8", "-c", SLOWLY)
    )

    def after() -> None:
        assert children() <= before

    # at the least: its start and its pipes, a read, and its end
    assert asyncio.run(every_await(lambda: LLM(target), use, after, late=late)) >= 4


def begun(little: LittleServer, count: int) -> LLM:
    """Return a model whose answer has so many chunks and then no end."""
    return little.llm([["head"], *(["text", text] for text in VERSE[:count]), ["hang"]])


AT_EVERY_CHUNK = pytest.mark.parametrize("count", range(1, len(VERSE) + 1))


@needs_proc
@AT_EVERY_CHUNK
@pytest.mark.parametrize("leave", ["close", "break", "error", "drop"])
def test_a_stream_can_be_left_at_every_chunk(little: LittleServer, leave: str, count: int) -> None:
    def use() -> None:
        stream = begun(little, count).stream("hello")
        if leave == "break":
            with stream:
                found = [*itertools.islice(stream, count)]
        elif leave == "error":
            found = []
            with pytest.raises(ZeroDivisionError), stream:
                for chunk in stream:
                    found.append(chunk)
                    _ = 1 / (count - len(found))
        else:
            found = [next(stream) for _ in range(count)]
        if leave == "close":
            stream.close()
        assert found == VERSE[:count]
        assert stream.completion.text == "".join(found)
        assert stream.completion.finish_reason == ("unknown" if leave == "drop" else "cancelled")

    before = open_now()
    use()
    little.quiet()
    join_threads()
    assert open_now() <= before


@needs_proc
@AT_EVERY_CHUNK
@pytest.mark.parametrize("leave", ["close", "break", "cancel", "drop"])
def test_an_async_stream_can_be_left_at_every_chunk(little: LittleServer, leave: str, count: int) -> None:
    async def use() -> None:
        stream = begun(little, count).astream("hello")
        come = asyncio.Event()

        async def block() -> None:
            async with stream:
                found.extend([await anext(stream) for _ in range(count)])
                come.set()
                if leave == "cancel":
                    await asyncio.Event().wait()

        found: list[str] = []
        if leave in ("break", "cancel"):
            task = asyncio.create_task(block())
            await come.wait()
            if leave == "cancel":
                task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() is (leave == "cancel")
        else:
            found.extend([await anext(stream) for _ in range(count)])
        if leave == "close":
            await stream.aclose()
        assert found == VERSE[:count]
        assert stream.completion.text == "".join(found)
        assert stream.completion.finish_reason == ("unknown" if leave == "drop" else "cancelled")

    async def run() -> None:
        before = open_now()
        await use()
        await settled(before)
        # while the loop still runs: nothing is left for its end to do
        little.quiet()

    asyncio.run(run())


@pytest.mark.parametrize("script", [[["hang"]], [["head"], ["hang"]]], ids=["no head", "no token"])
def test_a_task_that_waits_for_the_first_token_can_be_cancelled(little: LittleServer, script: Script) -> None:
    tag = new_tag()

    async def run() -> None:
        task = asyncio.create_task(little.llm(script, tag=tag).ainvoke("hello"))
        await asyncio.to_thread(little.seen, tag)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        little.left(tag)

    asyncio.run(run())


def test_a_task_that_waits_for_its_next_attempt_can_be_cancelled(little: LittleServer) -> None:
    tag = new_tag()
    # the connection isn't kept, so that the server sees when the refusal was read
    refused: Script = [["refuse", 503, {}, {"retry-after": "50", "connection": "close"}]]
    llm = little.llm(refused, tag=tag, policy=Policy(max_retries=1))

    async def run() -> None:
        task = asyncio.create_task(llm.ainvoke("hello"))
        await asyncio.to_thread(little.left, tag)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert little.count(tag) == 1
