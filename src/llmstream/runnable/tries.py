"""Streams with several tries: classes, not generators, for the reason given in flows.py."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
After = Callable[[Exception], float]
"""Returns the seconds to wait after a try's exception, or raises it to give up."""


class Tried(Iterator[T], Generic[T]):
    """The pieces of the first try that yields one.

    Args:
        tries: functions that each start a stream, with what to do after its exception.
    """

    def __init__(self, tries: Iterator[tuple[Callable[[], Iterator[T]], After]]) -> None:
        self._tries = tries
        self._items: Iterator[T] | None = None
        self._after: After | None = None
        self._closed = threading.Event()

    def __next__(self) -> T:
        while not self._closed.is_set():
            try:
                items = self._items or self._begin()
                piece = next(items)
            except StopIteration:
                self._closed.set()
                raise
            except Exception as error:
                if self._closed.is_set():
                    break
                if self._after is None:
                    self._closed.set()
                    raise
                self._items = None
                self._closed.wait(self._after(error))
            else:
                # yielded pieces can't be taken back
                self._after = None
                return piece
        raise StopIteration

    def _begin(self) -> Iterator[T]:
        begin, self._after = next(self._tries)
        self._items = items = begin()
        return items

    def close(self) -> None:
        """End the current try and start no other; may be called from any thread, repeatedly."""
        self._closed.set()
        close = getattr(self._items, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Tried[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncTried(AsyncIterator[T], Generic[T]):
    """The asynchronous form of `Tried`."""

    def __init__(self, tries: Iterator[tuple[Callable[[], AsyncIterator[T]], After]]) -> None:
        self._tries = tries
        self._items: AsyncIterator[T] | None = None
        self._after: After | None = None
        self._pause: asyncio.Future[None] | None = None
        self._closed = False

    async def __anext__(self) -> T:
        while not self._closed:
            try:
                items = self._items or self._begin()
                piece = await anext(items)
            except (StopIteration, StopAsyncIteration):
                break
            except Exception as error:
                if self._closed:
                    break
                if self._after is None:
                    self._closed = True
                    raise
                self._items = None
                await self._wait(self._after(error))
            else:
                self._after = None
                return piece
        self._closed = True
        raise StopAsyncIteration

    def _begin(self) -> AsyncIterator[T]:
        begin, self._after = next(self._tries)
        self._items = items = begin()
        return items

    async def _wait(self, seconds: float) -> None:
        import asyncio

        self._pause = pause = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait([pause], timeout=seconds)
        finally:
            self._pause = None

    async def aclose(self) -> None:
        """End the current try and start no other; may be called from any task, repeatedly."""
        self._closed = True
        pause = self._pause
        if pause is not None:
            pause.get_loop().call_soon_threadsafe(_wake, pause)
        close = getattr(self._items, "aclose", None)
        if close is not None:
            await close()

    async def __aenter__(self) -> AsyncTried[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _wake(pause: asyncio.Future[None]) -> None:
    if not pause.done():
        pause.set_result(None)
