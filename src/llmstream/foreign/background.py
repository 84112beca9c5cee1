"""One event loop per process, in a separate thread, for what LangChain supports only on event loops.

`astream_events` is async only, but the steps that it runs may block.  LangChain runs those in the loop's
executor, and ``asyncio.run`` and the interpreter wait for its threads to end, however long that takes;
the threads of this loop end with the process instead.  All runs share one loop, because libraries keep
connections between calls, and a connection belongs to the loop that opened it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
_Job = Callable[[], None]


class Threads(ThreadPoolExecutor):
    """An executor with as many threads as there are concurrent jobs; nothing waits for them to end.

    A subclass only because an event loop accepts no other executor.
    """

    def __init__(self) -> None:
        super().__init__(1)
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._free = 0
        self._count = threading.Lock()

    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        """Call `fn` in a thread, and return a future for its result."""
        future: Future[T] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001  # raised where the result is awaited
                future.set_exception(error)

        with self._count:
            fresh = not self._free
            self._free -= not fresh
        if fresh:
            threading.Thread(target=self._work, args=(job,), name="llmstream-step", daemon=True).start()
        else:
            self._jobs.put(job)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Do nothing: the threads end with the process."""

    def _work(self, job: _Job) -> None:
        while True:
            job()
            with self._count:
                self._free += 1
            job = self._jobs.get()


_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def loop() -> asyncio.AbstractEventLoop:
    """Return this process's event loop for objects, starting it on the first call."""
    # a forked child does not have its parent's threads
    process = os.getpid()
    with _lock:
        if process not in _loops:
            made = asyncio.new_event_loop()
            made.set_default_executor(Threads())
            threading.Thread(target=made.run_forever, name="llmstream-steps", daemon=True).start()
            _loops[process] = made
        return _loops[process]


def run(work: Coroutine[object, object, None]) -> None:
    """Start a coroutine on this process's loop, in the caller's context, without waiting for it."""
    asyncio.run_coroutine_threadsafe(work, loop())
