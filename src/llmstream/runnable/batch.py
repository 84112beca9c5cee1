"""Run many inputs at once: in threads or tasks, in order or as they complete."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

THREADS: Final = 16
"""Maximum number of threads of a batch without max_concurrency."""


def completed(jobs: Sequence[Callable[[], T]], limit: int | None) -> Iterator[tuple[int, T | Exception]]:
    """Run jobs in threads and yield each one's position and outcome as they complete.

    When left early, no further jobs are started, and those that run are waited for, except after Ctrl-C.

    Args:
        jobs: functions without arguments.
        limit: maximum number of concurrent jobs, None for `THREADS`.
    """
    from llmstream.runnable.workers import Workers

    workers = Workers(jobs, min(limit or THREADS, len(jobs)))
    wait = False
    try:
        yield from workers.outcomes()
        wait = True
    except (Exception, GeneratorExit):
        wait = True
        raise
    finally:
        workers.stop(wait=wait)


async def acompleted(
    jobs: Sequence[Callable[[], Awaitable[T]]], limit: int | None
) -> AsyncIterator[tuple[int, T | Exception]]:
    """Run jobs as tasks and yield each one's position and outcome as they complete.

    When left early, the others are cancelled. A `limit` of None starts all at once.
    """
    import asyncio

    gate = asyncio.Semaphore(limit or max(1, len(jobs)))
    results: asyncio.Queue[tuple[int, T | BaseException]] = asyncio.Queue()

    async def run(position: int, job: Callable[[], Awaitable[T]]) -> None:
        async with gate:
            try:
                outcome: T | BaseException = await job()
            except BaseException as error:  # noqa: BLE001  # it is the job's outcome
                outcome = error
        results.put_nowait((position, outcome))

    tasks = [asyncio.ensure_future(run(position, job)) for position, job in enumerate(jobs)]
    try:
        for _ in tasks:
            position, outcome = await results.get()
            if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
                # a job cancelled itself; without its result, the caller would wait for ever
                raise outcome
            yield position, outcome
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def in_order(outcomes: dict[int, T | Exception], *, return_exceptions: bool) -> list[T | Exception]:
    """Return outcomes in the inputs' order.

    Raises:
        Exception: the exception of the first failed input, unless exceptions are to be returned.
    """
    ordered = [outcomes[position] for position in range(len(outcomes))]
    if not return_exceptions:
        for outcome in ordered:
            if isinstance(outcome, Exception):
                raise outcome
    return ordered
