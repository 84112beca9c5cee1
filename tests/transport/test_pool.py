"""Connections that are kept: how many a server sees, and what happens to those that it has closed."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from llmstream.errors import ConnectionFailed
from llmstream.transport.http.channels import Channel
from llmstream.transport.http.pool import POOL, Key, Link, Pool
from runnable.fixtures import Way
from transport.raw_server import ANSWER, END, HEAD, RawServer, answers, chunked, event, serving


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    POOL.close()
    yield
    POOL.close()


def test_answers_one_after_the_other_share_a_connection(way: Way) -> None:
    with serving() as server:
        llm = server.llm()
        for _ in range(5):
            assert way.chunks(llm) == ["Hello"]
        assert (server.connections, len(server.heads)) == (1, 5)


def test_threads_and_loops_share_their_connections() -> None:
    with serving() as server:
        llm = server.llm()

        async def on_a_loop() -> str:
            return (await llm.ainvoke("hi")).text

        assert [llm.invoke("hi").text, asyncio.run(on_a_loop()), asyncio.run(on_a_loop())] == ["Hello"] * 3
        assert server.connections == 1


def test_answers_at_the_same_time_have_a_connection_each() -> None:
    gate = threading.Barrier(4)

    def together(connection: socket.socket, number: int) -> None:
        gate.wait(20)
        answers(connection, number)

    with serving(together) as server:
        llm = server.llm()
        assert [str(one) for one in llm.batch(["a", "b", "c", "d"])] == ["Hello"] * 4
        assert [str(one) for one in llm.batch(["a", "b", "c", "d"])] == ["Hello"] * 4
        assert server.connections == 4


def test_a_refusal_keeps_its_connection_too(way: Way) -> None:
    def busy_first(connection: socket.socket, number: int) -> None:
        body = b'{"error": {"message": "busy"}}'
        head = b"HTTP/1.1 503 Busy\r\nRetry-After-Ms: 1\r\nContent-Length: %d\r\n\r\n" % len(body)
        connection.sendall(ANSWER if number > 1 else head + body)

    with serving(busy_first) as server:
        assert way.chunks(server.llm(retries=1)) == ["Hello"]
        assert (server.connections, len(server.heads)) == (1, 2)


def test_an_error_keeps_its_connection_too(way: Way) -> None:
    def refused(connection: socket.socket, number: int) -> None:
        connection.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n{}")

    with serving(refused) as server:
        llm = server.llm()
        way.failure(llm)
        way.failure(llm)
        assert (server.connections, len(server.heads)) == (1, 2)


def test_the_last_chunk_may_come_a_moment_after_the_end_mark(way: Way) -> None:
    def in_two_writes(connection: socket.socket, number: int) -> None:
        connection.sendall(HEAD + chunked(event("Hello"), END))
        connection.sendall(b"0\r\n\r\n")

    with serving(in_two_writes) as server:
        llm = server.llm()
        for _ in range(3):
            way.chunks(llm)
        assert server.connections == 1


def test_a_kept_connection_that_was_closed_is_replaced_before_anything_is_sent(way: Way) -> None:
    with serving() as server:
        llm = server.llm()
        way.chunks(llm)
        server.drop_idle()
        assert server.left.acquire(timeout=20)
        assert way.chunks(llm) == ["Hello"]
        assert (server.connections, len(server.heads)) == (2, 2)


def closes_at_the_second_request(connection: socket.socket, number: int) -> bool:
    if number == 2:
        return False
    answers(connection, number)
    return True


def test_a_connection_that_is_closed_as_the_request_comes_is_no_retry(way: Way) -> None:
    with serving(closes_at_the_second_request) as server:
        llm = server.llm(retries=0)
        assert [way.chunks(llm), way.chunks(llm)] == [["Hello"], ["Hello"]]
        assert (server.connections, len(server.heads)) == (2, 3)


def test_a_new_connection_that_is_closed_at_once_is_a_failure(way: Way) -> None:
    with serving(lambda connection, number: False) as server:
        assert isinstance(way.failure(server.llm(retries=0)), ConnectionFailed)
        assert len(server.heads) == 1


def test_once_a_byte_of_the_answer_came_nothing_is_sent_again(way: Way) -> None:
    def half_a_head(connection: socket.socket, number: int) -> bool:
        connection.sendall(ANSWER if number == 1 else b"HTTP/1.1 200 O")
        return number == 1

    with serving(half_a_head) as server:
        llm = server.llm(retries=0)
        way.chunks(llm)
        assert isinstance(way.failure(llm), ConnectionFailed)
        assert len(server.heads) == 2


def test_bytes_that_nobody_asked_for_end_a_connection(way: Way) -> None:
    def smuggled(connection: socket.socket, number: int) -> None:
        connection.sendall(ANSWER + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(smuggled) as server:
        llm = server.llm()
        assert [way.chunks(llm), way.chunks(llm)] == [["Hello"], ["Hello"]]
        assert server.connections == 2


def test_another_proxy_of_the_environment_is_another_connection(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as server, serving() as proxy:
        llm = server.llm()
        way.chunks(llm)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        way.chunks(llm)
        assert proxy.heads[0].startswith(b"POST http://127.0.0.1:")
        monkeypatch.delenv("http_proxy")
        way.chunks(llm)
        assert (server.connections, proxy.connections) == (1, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_has_connections_of_its_own_and_leaves_its_parents_alone() -> None:
    with serving() as server:
        llm = server.llm()
        llm.invoke("hi")
        child = os.fork()
        if child == 0:
            os._exit(0 if len(POOL) == 0 and llm.invoke("hi").text == "Hello" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert llm.invoke("hi").text == "Hello"
        assert server.connections == 2


def link_to(server: RawServer) -> Link:
    sock = socket.create_connection(("127.0.0.1", server.port))
    sock.setblocking(False)
    return Link(Key("http", "127.0.0.1", server.port, None, None, None, (None, None)), Channel(sock))


def test_idle_connections_are_closed_after_a_while_and_their_thread_ends() -> None:
    with serving() as server:
        pool = Pool(idle=0.05)
        pool.keep(link_to(server))
        assert server.left.acquire(timeout=20)
        for thread in threading.enumerate():
            if thread.name == "llmstream-idle":
                thread.join(20)
        assert len(pool) == 0


def test_only_so_many_idle_connections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmstream.transport.http.pool.MOST", 2)
    with serving() as server:
        pool = Pool()
        links = [link_to(server) for _ in range(3)]
        for link in links:
            pool.keep(link)
        assert server.left.acquire(timeout=20)
        assert pool.take(links[0].key) is links[2]
        assert pool.take(links[0].key) is links[1]
        assert pool.take(links[0].key) is None
        for link in links:
            link.close()
        pool.close()


AT_EXIT = """
import sys
from llmstream import LLM
llm = LLM("openai/m", base_url=sys.argv[1], api_key="sk-0123")
assert llm.invoke("hi").text == "Hello"
"""


def test_kept_connections_say_nothing_at_exit(tmp_path: object) -> None:
    import subprocess

    with serving() as server:
        base_url = f"http://127.0.0.1:{server.port}/v1"
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", AT_EXIT, base_url],
            capture_output=True, text=True, check=False,
            env={**os.environ, "LLMSTREAM_CONFIG": os.devnull},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
