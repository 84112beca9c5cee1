"""Loops and sockets that are not as usual: a loop that watches no sockets, a socket that is gone."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from llmstream import LLM
from llmstream.engine.policy import Policy
from llmstream.errors import ConnectionFailed, LLMStreamError, TimeLimitPassed
from llmstream.prompt import Message, Prompt
from llmstream.runnable.calls import abatches
from llmstream.runnable.plan import Plan
from llmstream.transport.http.waiting import Readable, ready_of
from runnable.little_server import VERSE, LittleServer, Script, new_tag


class Blind(asyncio.SelectorEventLoop):
    """Watches no sockets for anybody, as the loop that Windows has by default."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:  # type: ignore[override]  # it takes them all
        raise NotImplementedError

    def add_writer(self, fd: Any, callback: Any, *args: Any) -> None:  # type: ignore[override]  # it takes them all
        raise NotImplementedError


def on_blind_loop(llm: LLM, count: int | None = None) -> tuple[list[str], LLMStreamError | None]:
    """Return an answer's first chunks, or all, and its error."""

    async def run() -> tuple[list[str], LLMStreamError | None]:
        found: list[str] = []
        try:
            async with llm.astream("hello") as stream:
                async for chunk in stream:
                    found.append(chunk)
                    if len(found) == count:
                        break
        except LLMStreamError as error:
            return found, error
        return found, None

    with asyncio.Runner(loop_factory=Blind) as runner:
        return runner.run(run())


def test_an_answer_comes_on_a_loop_that_watches_no_sockets(little: LittleServer) -> None:
    assert on_blind_loop(little.llm()) == ([*VERSE, ""], None)
    # on the connection that was kept
    assert on_blind_loop(little.llm()) == ([*VERSE, ""], None)


def test_there_too_an_answer_that_is_left_closes_its_connection(little: LittleServer) -> None:
    tag = new_tag()
    script: Script = [["head"], ["text", "a"], ["text", "b"], ["hang"]]
    assert on_blind_loop(little.llm(script, tag=tag), 1) == (["a"], None)
    little.left(tag)


def test_there_too_limits_hold_and_nobody_there_is_no_connection(little: LittleServer) -> None:
    policy = Policy(first_token=60, idle=0.1, max_retries=0)
    found, error = on_blind_loop(little.llm([["head"], ["text", "a"], ["hang"]], policy=policy))
    assert found == ["a"] and isinstance(error, TimeLimitPassed)
    assert isinstance(on_blind_loop(little.llm(base_url="http://127.0.0.1:1/v1"))[1], ConnectionFailed)


def test_a_socket_that_is_gone_counts_as_ready() -> None:
    near, far = socket.socketpair()
    with far:
        assert ready_of([near, far], False, 0) == []
        assert ready_of([near, far], True, 0) == [near, far]
        assert not Readable(near).within(0)
        far.sendall(b"x")
        assert ready_of([near, far], False, 1) == [near]
        assert Readable(near).within(1)
        near.close()
        assert ready_of([far, near], False, 1) == [near]


def test_two_tasks_that_read_one_answer_share_its_pieces(little: LittleServer) -> None:
    async def run() -> tuple[list[str], ...]:
        stream = little.llm(
            [["head"], *(["text", str(n)] for n in range(30)), ["finish", "stop"], ["done"]]
        ).astream("hi")

        async def read() -> list[str]:
            return [chunk async for chunk in stream if chunk]

        parts = await asyncio.gather(read(), read(), read())
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        return parts

    parts = asyncio.run(run())
    assert sorted(int(chunk) for part in parts for chunk in part) == list(range(30))


def test_a_read_that_is_destroyed_with_its_loop_gives_the_connection_up(little: LittleServer) -> None:
    tag = new_tag()

    async def run() -> None:
        stream = little.llm([["head"], ["text", "a"], ["hang"]], tag=tag).astream("hi")
        assert await anext(stream) == "a"
        reading = stream.__anext__()
        assert asyncio.isfuture(reading.send(None))
        reading.close()

    asyncio.run(run())
    little.left(tag)


def test_behind_its_end_a_run_has_nothing_more(little: LittleServer) -> None:
    async def run() -> None:
        ended, closed = abatches(plan), abatches(plan)
        assert [batch async for batch in ended]
        assert await anext(ended, None) is None
        await anext(closed)
        await closed.aclose()
        assert await anext(closed, None) is None

    plan = Plan(little.llm().targets, Prompt((Message("user", "hi"),)))
    asyncio.run(run())


@pytest.mark.parametrize("where", ["task", "thread", "later"])
def test_a_wait_for_the_next_attempt_can_be_closed_from_elsewhere(little: LittleServer, where: str) -> None:
    refused: Script = [["refuse", 503, {}, {"retry-after": "50"}]]

    async def read(stream: Any, told: asyncio.Event) -> None:
        async for event in stream:
            if type(event).__name__ == "Retry":
                told.set()

    async def run() -> Any:
        stream, told = little.llm(refused, policy=Policy(max_retries=1)).aevents("hi"), asyncio.Event()
        reader = asyncio.create_task(read(stream, told))
        await told.wait()
        await asyncio.sleep(0)
        if where == "task":
            await stream.aclose()
        elif where == "thread":
            await asyncio.to_thread(asyncio.run, stream.aclose())
        else:
            reader.cancel()
        await asyncio.wait([reader])
        return stream

    asyncio.run(asyncio.run(run()).aclose())
