"""One transport for many conversations, one after the other, as a worker of a batch has it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from llmstream.engine.effects import Batch
from llmstream.events import TextDelta
from llmstream.prompt import Message, Prompt
from llmstream.runnable.calls import steps_of
from llmstream.runnable.plan import Plan
from llmstream.transport.async_driver import carry_out
from llmstream.transport.http.async_ import AsyncHttpTransport
from llmstream.transport.http.pool import Pool
from transport.raw_server import ANSWER, END, HEAD, RawServer, chunked, event, serving


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.close()


async def asked(server: RawServer, transport: AsyncHttpTransport) -> str:
    """Ask once and return the answer's text."""
    text: list[str] = []

    def take(batch: Batch) -> None:
        text.extend(one.text for one in batch if isinstance(one, TextDelta))

    plan = Plan((server.target(),), Prompt((Message("user", "hi"),)))
    await carry_out(steps_of(plan), transport, take, lambda head: None)
    return "".join(text)


def test_who_asks_again_at_once_has_the_same_connection_and_the_pool_none(pool: Pool) -> None:
    async def run() -> list[int]:
        transport, kept = AsyncHttpTransport(pool), []
        for _ in range(5):
            assert await asked(server, transport) == "Hello"
            kept.append(len(pool))
        await transport.aclose()
        return [*kept, len(pool)]

    with serving() as server:
        assert asyncio.run(run()) == [0, 0, 0, 0, 0, 1]
        assert (server.connections, len(server.heads)) == (1, 5)


def test_a_connection_on_which_nobody_asks_again_at_once_is_for_all(pool: Pool) -> None:
    async def run() -> int:
        first, second = AsyncHttpTransport(pool), AsyncHttpTransport(pool)
        await asked(server, first)
        while not len(pool):
            await asyncio.sleep(0)
        await asked(server, second)
        await second.aclose()
        kept = len(pool)
        await asked(server, first)
        await first.aclose()
        return kept

    with serving() as server:
        assert asyncio.run(run()) == 1
        assert (server.connections, len(server.heads)) == (1, 3)


def test_a_server_that_closes_without_a_word_is_asked_each_question_once(pool: Pool) -> None:
    def last_words(connection: socket.socket, number: int) -> bool:
        connection.sendall(ANSWER)
        return False

    async def run() -> list[str]:
        transport = AsyncHttpTransport(pool)
        answers = [await asked(server, transport) for _ in range(10)]
        await transport.aclose()
        return answers

    with serving(last_words) as server:
        assert asyncio.run(run()) == ["Hello"] * 10
        assert len(server.heads) == 10


def test_two_servers_in_turn_keep_a_connection_each(pool: Pool) -> None:
    async def run() -> None:
        transport = AsyncHttpTransport(pool)
        for _ in range(4):
            assert await asked(one, transport) == await asked(other, transport) == "Hello"
        await transport.aclose()

    with serving() as one, serving() as other:
        asyncio.run(run())
        assert [(server.connections, len(server.heads)) for server in (one, other)] == [(1, 4), (1, 4)]


def test_the_loops_readers_are_gone_with_the_transport(pool: Pool) -> None:
    def in_two_pieces(connection: socket.socket, number: int) -> None:
        connection.sendall(HEAD + chunked(event("Hel")))
        connection.sendall(chunked(event("lo"), END) + b"0\r\n\r\n")

    async def run() -> list[bool]:
        transport = AsyncHttpTransport(pool)
        assert [await asked(server, transport) for _ in range(3)] == ["Hello"] * 3
        await transport.aclose()
        link = next(iter(pool._links))
        return [asyncio.get_running_loop().remove_reader(link.channel.sock)]

    with serving(in_two_pieces) as server:
        assert asyncio.run(run()) == [False]
