"""Threads that carry out a batch's jobs, and that nobody has to wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Workers(Generic[T]):
    """Threads that run jobs, one after the other each.

    Unlike those of a ThreadPoolExecutor, they don't keep the interpreter from exiting: after Ctrl-C nobody
    waits for the answers under way.

    Args:
        jobs: functions without arguments.
        count: the number of threads.
    """

    def __init__(self, jobs: Sequence[Callable[[], T]], count: int) -> None:
        self._jobs = jobs
        self._open = SimpleQueue[int]()
        self._done = SimpleQueue[tuple[int, T | BaseException]]()
        self._stopped = False
        for position in range(len(jobs)):
            self._open.put(position)
        self._threads = [
            Thread(target=self._work, name=f"llmstream-batch_{number}", daemon=True)
            for number in range(count)
        ]

    def outcomes(self) -> Iterator[tuple[int, T | Exception]]:
        """Start the threads; yield each job's position and outcome as they complete.

        Raises:
            BaseException: a job raised it, and it is not an Exception.
        """
        for thread in self._threads:
            thread.start()
        for _ in self._jobs:
            position, outcome = self._done.get()
            if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
                raise outcome
            yield position, outcome

    def stop(self, *, wait: bool) -> None:
        """Start no further jobs; with `wait`, return only after those that run."""
        self._stopped = True
        for thread in self._threads if wait else ():
            if thread.ident is not None:
                thread.join()

    def _work(self) -> None:
        while not self._stopped:
            try:
                position = self._open.get_nowait()
            except Empty:
                return
            try:
                outcome: T | BaseException = self._jobs[position]()
            except BaseException as error:  # noqa: BLE001  # it is the job's outcome
                outcome = error
            self._done.put((position, outcome))
