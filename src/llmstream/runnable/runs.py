"""What gives out a run's batches: one conversation, or several that a generator puts together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from llmstream.engine.effects import Batch

if TYPE_CHECKING:
    import asyncio


class Batches(Protocol):
    """A run; closing it ends its requests."""

    @property
    def closed(self) -> bool:
        """Whether it was closed, perhaps before its end."""
        ...

    def __iter__(self) -> Iterator[Batch]:
        """Return itself."""
        ...

    def __next__(self) -> Batch:
        """Return the events of the next read."""
        ...

    def close(self) -> None:
        """End it; from any thread, and as often as one likes."""
        ...


class AsyncBatches(Protocol):
    """The same for async."""

    @property
    def closed(self) -> bool:
        """Whether it was closed, perhaps before its end."""
        ...

    def __aiter__(self) -> AsyncIterator[Batch]:
        """Return itself."""
        ...

    async def __anext__(self) -> Batch:
        """Return the events of the next read."""
        ...

    async def aclose(self) -> None:
        """End it; from any task, and as often as one likes."""
        ...

    def close(self) -> None:
        """The same without waiting for what that takes."""
        ...


class Given(Iterator[Batch]):
    """A run that is a generator.

    Args:
        batches: gives them.
    """

    def __init__(self, batches: Generator[Batch, None, None]) -> None:
        self._batches = batches
        self.closed = False

    def __next__(self) -> Batch:
        if not self.closed:
            try:
                return next(self._batches)
            finally:
                if self.closed:
                    self._batches.close()
        raise StopIteration

    def close(self) -> None:
        """End it; where another thread reads, with the batch that comes next."""
        self.closed = True
        with suppress(ValueError):  # it runs at this moment
            self._batches.close()


class AsyncGiven(AsyncIterator[Batch]):
    """The same for async.

    Args:
        batches: gives them.
    """

    def __init__(self, batches: AsyncGenerator[Batch, None]) -> None:
        self._batches = batches
        self._reading: asyncio.Future[Batch] | None = None
        self.closed = False

    async def __anext__(self) -> Batch:
        import asyncio

        if self.closed:
            raise StopAsyncIteration
        self._reading = reading = asyncio.ensure_future(_next(self._batches))
        try:
            return await reading
        except asyncio.CancelledError:
            if self.closed:
                raise StopAsyncIteration from None
            reading.cancel()
            raise
        finally:
            self._reading = None

    async def aclose(self) -> None:
        """End it; a read under way ends at once."""
        self.closed = True
        reading = self._reading
        if reading is not None:
            import asyncio

            reading.cancel()
            await asyncio.wait([reading])
        await self._batches.aclose()

    def close(self) -> None:
        """End a read under way; the loop sees to the rest."""
        self.closed = True
        if self._reading is not None:
            self._reading.cancel()


async def _next(batches: AsyncGenerator[Batch, None]) -> Batch:
    return await batches.__anext__()
