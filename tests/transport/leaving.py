"""What tests of leaving share: a cancel at any await, and a look at what is left behind."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any

import pytest

from llmstream.transport.http.pool import POOL
from runnable.little_server import PATIENCE

DESCRIPTORS = Path("/proc/self/fd")
needs_proc = pytest.mark.skipif(not DESCRIPTORS.exists(), reason="reads Linux's /proc")
PASSING = ("llmstream-idle", "asyncio-waitpid", "waitpid")
"""Beginnings of the names of threads that were told to end, ours and asyncio's, and may need a moment."""


class CancelledAt:
    """Awaits something and cancels its task the `number`-th time that it waits, from 0.

    Args:
        awaited: runs in the task that awaits this.
        number: of the wait.
        late: cancel when what is waited for is there already, but the task has not gone on yet.
    """

    def __init__(self, awaited: Coroutine[Any, Any, None], number: int, *, late: bool) -> None:
        self.reached = False
        self._awaited = awaited
        self._number = number
        self._late = late

    def __await__(self) -> Generator[Any, Any, None]:
        steps = self._awaited.__await__()
        error: BaseException | None = None
        for number in itertools.count():
            try:
                waited_for = steps.send(None) if error is None else steps.throw(error)
            except StopIteration:
                return
            if number == self._number:
                self._cancel(waited_for)
            try:
                yield waited_for
                error = None
            except BaseException as thrown:
                error = thrown

    def _cancel(self, waited_for: asyncio.Future[Any] | None) -> None:
        self.reached = True
        task = asyncio.current_task()
        assert task is not None
        if self._late and waited_for is not None:
            # called before the task's own callback, which has it go on
            waited_for.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()


def open_now() -> tuple[int, int]:
    """Return how many descriptors and threads there are, the loop's own threads and kept connections aside."""
    POOL.close()
    threads = [one for one in threading.enumerate() if not one.name.startswith("asyncio_")]
    return len(list(DESCRIPTORS.iterdir())), len(threads)


def join_threads() -> None:
    """Wait for threads that were told to end."""
    POOL.close()
    for thread in threading.enumerate():
        if thread.name.startswith(PASSING):
            thread.join(PATIENCE)


async def settled(before: tuple[int, int]) -> None:
    """Let the loop close what it was told to close, and see that nothing more is left than before."""
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        assert not (await asyncio.wait(others, timeout=PATIENCE))[1]
    for _ in range(10):
        await asyncio.sleep(0)
    join_threads()
    left = open_now()
    assert left <= before, (left, before, threading.enumerate())
    timers: Any = getattr(asyncio.get_running_loop(), "_scheduled", [])
    assert [timer for timer in timers if not timer.cancelled()] == []
