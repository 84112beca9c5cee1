"""Many runs in one process: nothing stays behind, and a thousand at once are no trouble."""

from __future__ import annotations

import asyncio
import gc
import threading
from pathlib import Path

import pytest

from llmstream import LLM
from llmstream.engine.policy import Policy
from llmstream.errors import LLMStreamError
from runnable.fixtures import Way
from runnable.little_server import PATIENCE, VERSE, LittleServer, Script, new_tag

RUNS = 200
MANY = 1000
DESCRIPTORS = Path("/proc/self/fd")
needs_proc = pytest.mark.skipif(not DESCRIPTORS.exists(), reason="reads Linux's /proc")


def open_now() -> tuple[int, int]:
    """Return how many descriptors and threads there are."""
    gc.collect()
    return len(list(DESCRIPTORS.iterdir())), threading.active_count()


def kinds(little: LittleServer) -> list[LLM]:
    """Return models whose answers end in every way."""
    limits = Policy(first_token=0.02, max_retries=0)
    again = Policy(max_retries=1)
    refused = ["refuse", 503, {}, {"retry-after-ms": "1"}]
    scripts: list[tuple[Policy | None, list[Script]]] = [
        (None, []),
        (None, [[["head"], ["text", "a"], ["close"]]]),
        (None, [[["reset"]]]),
        (None, [[["refuse", 401, {"error": {"message": "no"}}]]]),
        (again, [[refused]]),
        (limits, [[["head"], ["hang"]]]),
    ]
    return [little.llm(*given, tag=new_tag(), policy=policy) for policy, given in scripts]


@needs_proc
def test_neither_threads_nor_descriptors_grow(little: LittleServer, way: Way) -> None:
    models = kinds(little)
    left_early = little.llm([["head"], ["text", "a"], ["hang"]])

    def run(count: int) -> None:
        for number in range(count):
            if number % 5 == 4:
                way.beginning(left_early, 1)
            else:
                way.outcome(models[number % len(models)])

    run(12)
    descriptors, threads = open_now()
    run(RUNS)
    # a watchdog that was just told to end may need a moment
    for thread in threading.enumerate():
        if thread.name == "llmstream-watchdog":
            thread.join(5)
    assert open_now() <= (descriptors, threads)


@needs_proc
def test_a_thousand_answers_at_once(little: LittleServer) -> None:
    tag = new_tag()
    script: Script = [
        ["head"], ["text", VERSE[0]], ["gate", tag], *(["text", text] for text in VERSE[1:]),
        ["finish", "stop"], ["done"],
    ]  # fmt: skip
    llm = little.llm(script, tag=tag, policy=Policy(max_retries=0, connect=60))

    async def one() -> str:
        async with llm.astream("hello") as stream:
            return "".join([chunk async for chunk in stream])

    async def run() -> list[str]:
        tasks = [asyncio.create_task(one()) for _ in range(MANY)]
        # none is answered to its end before all are there
        await asyncio.to_thread(little.seen, tag, MANY)
        await asyncio.to_thread(little.open, tag)
        answers = await asyncio.gather(*tasks)
        # the loop ends generators that were not read to their end in tasks of its own
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            assert not (await asyncio.wait(others, timeout=PATIENCE))[1]
        return answers

    before = open_now()
    assert asyncio.run(run()) == ["".join(VERSE)] * MANY
    little.left(tag, MANY)
    assert open_now()[0] <= before[0]


@needs_proc
def test_a_task_can_be_cancelled_wherever_it_waits(little: LittleServer) -> None:
    tag = new_tag()
    refused = ["refuse", 503, {}, {"retry-after-ms": "5"}]
    answer: Script = [["head"], *(step for text in VERSE for step in (["text", text], ["pause", 0.001])),
                      ["finish", "stop"], ["done"]]  # fmt: skip

    async def consume() -> None:
        llm = little.llm([refused], answer, tag=new_tag(), policy=Policy(max_retries=1))
        async with llm.astream("hello") as stream:
            async for _ in stream:
                pass

    async def cancelled_after(turns: int) -> bool:
        task = asyncio.create_task(consume())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            return False
        error = task.exception()
        assert error is None or isinstance(error, LLMStreamError), error
        return True

    async def run() -> int:
        assert await cancelled_after(100_000)
        before = len(list(DESCRIPTORS.iterdir()))
        ended = [await cancelled_after(turns) for turns in [*range(60), *range(60, 600, 15)]]
        assert len(list(DESCRIPTORS.iterdir())) <= before
        return ended.count(False)

    assert asyncio.run(run()) > 60
    assert little.count(tag) == 0


@pytest.mark.parametrize(
    ("script", "chunks"),
    [([["hang"]], 0), ([["head"], ["hang"]], 0), ([["head"], ["text", "a"], ["hang"]], 1)],
    ids=["before the head", "before the first token", "within the answer"],
)
def test_a_cancelled_task_closes_its_connection(little: LittleServer, script: Script, chunks: int) -> None:
    tag = new_tag()
    llm = little.llm(script, tag=tag)

    async def run() -> None:
        came = asyncio.Event()

        async def consume() -> None:
            async for _ in llm.astream("hello"):
                came.set()

        task = asyncio.create_task(consume())
        await asyncio.to_thread(little.seen, tag)
        if chunks:
            await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # while the loop still runs: nothing is left for its end to do
        await asyncio.to_thread(little.left, tag)

    asyncio.run(run())


def test_a_task_that_waits_for_its_next_attempt_can_be_cancelled(little: LittleServer) -> None:
    tag = new_tag()
    refused: Script = [["refuse", 503, {}, {"retry-after": "50"}]]
    llm = little.llm(refused, tag=tag, policy=Policy(max_retries=1))

    async def run() -> None:
        task = asyncio.create_task(llm.ainvoke("hello"))
        # the refused request's connection is closed before the wait
        await asyncio.to_thread(little.left, tag)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert little.count(tag) == 1
