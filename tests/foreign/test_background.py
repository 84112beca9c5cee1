"""The loop on which LangChain's events are made: one for the process, for whose threads nobody waits."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest

from llmstream.foreign import background

VALUE: ContextVar[str] = ContextVar("value", default="")


def test_blocking_work_runs_at_once_and_threads_are_used_again() -> None:
    threads = background.Threads()
    together = threading.Barrier(20, timeout=10)
    for future in [threads.submit(together.wait) for _ in range(20)]:
        future.result(10)
    names = {threads.submit(threading.get_ident).result(10) for _ in range(200)}
    assert len(names) <= 20
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 // 0).result(10)


def test_one_loop_serves_all_callers_each_in_its_own_context() -> None:
    seen: list[tuple[str, object]] = []
    both = threading.Barrier(3, timeout=10)

    async def look() -> None:
        await asyncio.sleep(0)
        seen.append((VALUE.get(), asyncio.get_running_loop()))
        await asyncio.to_thread(both.wait)

    def caller(name: str) -> None:
        VALUE.set(name)
        background.run(look())

    for name in ("a", "b"):
        threading.Thread(target=caller, args=(name,)).start()
    both.wait()
    assert sorted(name for name, _ in seen) == ["a", "b"]
    assert {loop for _, loop in seen} == {background.loop()}


BLOCKED = """
import asyncio, threading, time
from llmstream.foreign import background
begun = threading.Event()

async def work():
    await asyncio.to_thread(lambda: (begun.set(), time.sleep(600)))

background.run(work())
begun.wait()
print("left", flush=True)
"""


def test_a_process_ends_while_a_step_still_blocks() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, timeout=30, check=True)
    assert done.stdout == b"left\n"
    assert done.stderr == b""
