"""Use asynchronous code from blocking code, on an event loop in its own thread.

The separate thread makes it work where a loop is already running, as in a notebook.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


def result(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and return its result; leaving early cancels it."""

    async def once() -> AsyncGenerator[T, None]:
        yield await coroutine

    for value in each(once):
        return value
    raise AssertionError("the coroutine returns or raises")


def each(make: Callable[[], AsyncGenerator[T, None]]) -> Generator[T, None, None]:
    """Yield the items of an async generator; leaving early closes it and waits until it has ended.

    Args:
        make: creates the generator; called in the loop's thread.
    """
    items: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()
    loop = asyncio.new_event_loop()

    async def pump() -> None:
        running = make()
        try:
            async for item in running:
                items.put((item,))
        finally:
            await running.aclose()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                runner.run(begun())
            except asyncio.CancelledError:
                items.put(None)
            except BaseException as error:  # noqa: BLE001  # raised in the caller's thread
                items.put(error)
            else:
                items.put(None)

    async def begun() -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        await pump()

    tasks: list[asyncio.Task[None]] = []
    thread = threading.Thread(target=work, name="llmstream-loop", daemon=True)
    thread.start()
    try:
        while (item := items.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        _cancel(loop, tasks)
        thread.join()


def _cancel(loop: asyncio.AbstractEventLoop, tasks: list[asyncio.Task[None]]) -> None:
    def cancel() -> None:
        for task in tasks:
            task.cancel()

    with suppress(RuntimeError):  # the loop has already ended
        loop.call_soon_threadsafe(cancel)
