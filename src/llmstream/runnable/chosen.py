"""Select some of an iterator's pieces, and close iterators explicitly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)


class Closable(Protocol[T_co]):
    """An iterator that can be closed, such as a generator or a Flow."""

    def __iter__(self) -> Iterator[T_co]:
        """Return itself."""
        ...

    def __next__(self) -> T_co:
        """Return the next piece."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class AsyncClosable(Protocol[T_co]):
    """The asynchronous form of `Closable`."""

    def __aiter__(self) -> AsyncIterator[T_co]:
        """Return itself."""
        ...

    def __anext__(self) -> Awaitable[T_co]:
        """Return the next piece."""
        ...

    async def aclose(self) -> None:
        """End it."""
        ...


class Chosen(Iterator[T]):
    """A selection of another iterator's pieces.

    Args:
        items: the iterator of all pieces.
        choose: returns the piece to yield, None to leave it out.
    """

    def __init__(self, items: Closable[U], choose: Callable[[U], T | None]) -> None:
        self._next: Callable[[], T] = lambda: _first(items, choose)
        self._close = items.close

    def __next__(self) -> T:
        return self._next()

    def close(self) -> None:
        """End it; may be called from any thread if the other iterator allows that."""
        self._close()


def _first(items: Closable[U], choose: Callable[[U], T | None]) -> T:
    while True:
        found = choose(next(items))
        if found is not None:
            return found


class AsyncChosen(AsyncIterator[T]):
    """The asynchronous form of `Chosen`."""

    def __init__(self, items: AsyncClosable[U], choose: Callable[[U], T | None]) -> None:
        self._next: Callable[[], Awaitable[T]] = lambda: _afirst(items, choose)
        self._close = items.aclose

    async def __anext__(self) -> T:
        return await self._next()

    async def aclose(self) -> None:
        """End it."""
        await self._close()


@contextmanager
def ending(items: Iterator[U]) -> Iterator[Iterator[U]]:
    """Close an iterator on exit, if it can be closed, instead of leaving that to garbage collection."""
    try:
        yield items
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


@asynccontextmanager
async def aending(items: AsyncIterator[U]) -> AsyncIterator[AsyncIterator[U]]:
    """The asynchronous form of `ending`."""
    try:
        yield items
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()


async def _afirst(items: AsyncClosable[U], choose: Callable[[U], T | None]) -> T:
    while True:
        found = choose(await items.__anext__())
        if found is not None:
            return found
