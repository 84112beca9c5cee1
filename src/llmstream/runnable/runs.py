"""The protocol of a run, which is an iterator over batches, and runs made from generators."""

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
        """Whether it was closed, possibly before its end."""
        ...

    def __iter__(self) -> Iterator[Batch]:
        """Return itself."""
        ...

    def __next__(self) -> Batch:
        """Return the events of the next read."""
        ...

    def close(self) -> None:
        """End it; may be called from any thread, repeatedly."""
        ...


class AsyncBatches(Protocol):
    """The asynchronous form of `Batches`."""

    @property
    def closed(self) -> bool:
        """Whether it was closed, possibly before its end."""
        ...

    def __aiter__(self) -> AsyncIterator[Batch]:
        """Return itself."""
        ...

    async def __anext__(self) -> Batch:
        """Return the events of the next read."""
        ...

    async def aclose(self) -> None:
        """End it; may be called from any task, repeatedly."""
        ...

    def close(self) -> None:
        """End it without waiting for the end."""
        ...


class Given(Iterator[Batch]):
    """A run that is a generator.

    Args:
        batches: yields them.
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
        """End it; if another thread is reading, it ends with the next batch."""
        self.closed = True
        with suppress(ValueError):  # another thread is running it
            self._batches.close()


class AsyncGiven(AsyncIterator[Batch]):
    """The asynchronous form of `Given`.

    Args:
        batches: yields them.
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
        """End it; a read in progress ends at once."""
        self.closed = True
        reading = self._reading
        if reading is not None:
            import asyncio

            reading.cancel()
            await asyncio.wait([reading])
        await self._batches.aclose()

    def close(self) -> None:
        """Cancel a read in progress; the run ends when its event loop handles that."""
        self.closed = True
        if self._reading is not None:
            self._reading.cancel()


async def _next(batches: AsyncGenerator[Batch, None]) -> Batch:
    return await batches.__anext__()
