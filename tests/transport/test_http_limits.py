"""Limits on real sockets: they hold whatever keeps a connection busy, and only waiting counts."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from llmstream.engine.policy import Policy
from llmstream.errors import TimeLimitPassed
from runnable.fixtures import Blocking, Way
from runnable.little_server import LittleServer, Script, new_tag

LIMIT = 0.25
SLACK = 3.0
"""Seconds that a busy machine may add; all that a test could wait for in vain is longer."""
FIRST = Policy(first_token=LIMIT, idle=60, max_retries=0)
IDLE = Policy(first_token=60, idle=LIMIT, max_retries=0)
TOTAL = Policy(total=LIMIT, max_retries=0)
ENCODED = {"content-type": "text/event-stream", "content-encoding": "gzip", "connection": "close"}
HALF_OF_GZIP = gzip.compress(b": a comment, and no end\n\n" * 9, mtime=0)[:-12].decode("latin-1")


@pytest.mark.parametrize(
    ("script", "policy", "phase", "text"),
    [
        ([["hang"]], FIRST, "first_token", ""),
        ([["raw", "HTTP/1.1 200 OK\r\n"], ["drip", "x-a: b\r\n", 0.01]], FIRST, "first_token", ""),
        ([["head"], ["hang"]], FIRST, "first_token", ""),
        ([["head"], ["comments", 0.02]], FIRST, "first_token", ""),
        ([["head"], ["raw", "ffff\r\n"], ["drip", "data: {", 0.01]], FIRST, "first_token", ""),
        ([["head"], ["murmur", "", 0.02]], FIRST, "first_token", ""),
        ([["head", 200, ENCODED], ["raw", HALF_OF_GZIP], ["hang"]], FIRST, "first_token", ""),
        ([["head"], ["text", "a"], ["hang"]], IDLE, "stream", "a"),
        ([["head"], ["text", "a"], ["comments", 0.02]], IDLE, "stream", "a"),
        ([["head"], ["text", "a"], ["raw", "ffff\r\n"], ["drip", "x", 0.01]], IDLE, "stream", "a"),
        ([["head"], ["murmur", "a", 0.02]], TOTAL, "total", "a"),
        ([["head", 500, {}], ["drip", "x", 0.02]], FIRST, None, ""),
    ],
    ids=[
        "silence", "slow headers", "no body", "comments", "slow first event", "empty deltas", "cut gzip",
        "stall", "comments after text", "slow event after text", "endless text", "slow error body",
    ],
)  # fmt: skip
def test_a_limit_holds(
    little: LittleServer, way: Way, script: Script, policy: Policy, phase: str | None, text: str
) -> None:
    began = time.monotonic()
    chunks, error = way.outcome(little.llm(script, policy=policy))
    assert LIMIT <= time.monotonic() - began < LIMIT + SLACK
    assert error is not None
    assert phase is None or (isinstance(error, TimeLimitPassed) and error.phase == phase)
    assert "".join(chunks)[:1] == text
    little.quiet()


def test_deltas_keep_an_answer_alive_beyond_the_idle_limit(little: LittleServer, way: Way) -> None:
    policy = Policy(first_token=60, idle=4 * LIMIT, max_retries=0)
    steps = [step for number in range(8) for step in (["text", str(number)], ["pause", LIMIT * 0.6])]
    chunks = way.chunks(little.llm([["head"], *steps, ["finish", "stop"], ["done"]], policy=policy))
    assert "".join(chunks) == "01234567"


def test_time_in_which_nobody_takes_the_chunks_does_not_count(little: LittleServer) -> None:
    tag = new_tag()
    script: Script = [["head"], ["text", "a"], ["text", "b"], ["finish", "stop"], ["done"]]
    found = []
    for chunk in little.llm(script, tag=tag, policy=IDLE).stream("hello"):
        found.append(chunk)
        # the rest is there to be read: a busy machine's server is not what is measured
        little.played(tag)
        # time itself is what this is about
        time.sleep(LIMIT * 1.5)
    assert "".join(found) == "ab"


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue is full, so that nobody can connect to it."""
    if sys.platform != "linux":
        pytest.skip("other systems reset what they can't queue")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])
        for one in waiting:
            one.close()


def test_connecting_has_a_limit_of_its_own(little: LittleServer, way: Way, deaf_port: int) -> None:
    policy = Policy(connect=LIMIT, max_retries=0)
    error = way.failure(little.llm(policy=policy, base_url=f"http://127.0.0.1:{deaf_port}/v1"))
    assert isinstance(error, TimeLimitPassed)
    assert error.phase == "connect"


def test_a_limit_that_passes_before_there_is_a_connection_holds_behind_it(
    little: LittleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, passed = socket.getaddrinfo, threading.Event()

    def slow(*arguments: Any, **named: Any) -> Any:
        passed.wait(LIMIT * 2)
        return look_up(*arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    error = Blocking().failure(little.llm([["hang"]], policy=FIRST))
    assert isinstance(error, TimeLimitPassed)
    assert error.phase == "first_token"


CLIENT = """
import asyncio, json, sys
from llmstream import LLM
base_url, mode, limit, tag, script = sys.argv[1:]
llm = LLM("openai-completions/m", base_url=base_url, api_key="sk-little", max_retries=0, tag=tag,
          timeout={"idle": float(limit), "first_token": 60}, scripts=[json.loads(script)])
async def run():
    async for chunk in llm.astream("hello"):
        print(chunk, flush=True)
if mode == "async":
    asyncio.run(run())
else:
    for chunk in llm.stream("hello"):
        print(chunk, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("kept_alive", [False, True], ids=["silent", "comments"])
def test_time_in_which_the_process_stands_still_does_not_count(
    little: LittleServer, mode: str, kept_alive: bool
) -> None:
    tag, limit = new_tag(), 1.2
    waiting = ["comments", 0.1, tag] if kept_alive else ["gate", tag]
    script = [["head"], ["text", "a"], waiting, ["text", "b"], ["finish", "stop"], ["done"]]
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, little.base_url, mode, str(limit), tag, json.dumps(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LLMSTREAM_CONFIG": os.devnull},
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "a\n"
        process.send_signal(signal.SIGSTOP)
        # longer than the limit: time itself is what this is about
        time.sleep(limit * 1.25)
        process.send_signal(signal.SIGCONT)
        little.open(tag)
        assert process.stdout.read().split() == ["b"]
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
