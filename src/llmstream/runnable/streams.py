"""What `stream` and `astream` return: chunks as text, and at the end the whole completion."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from types import TracebackType

from llmstream.engine.effects import Batch
from llmstream.engine.meter import Completion, Meter
from llmstream.events import TextDelta


class Stream(Iterator[str]):
    """The chunks of one answer; a context manager that ends the request when it is left.

    Args:
        batches: the run.
    """

    def __init__(self, batches: Generator[Batch, None, None]) -> None:
        self._meter = Meter(time.monotonic())
        self._batches = batches
        self._chunks = self._run()

    @property
    def completion(self) -> Completion:
        """What has come so far; after the last chunk, the whole answer."""
        return self._meter.completion(time.monotonic())

    def _run(self) -> Generator[str, None, None]:
        for batch in self._batches:
            self._meter.write(batch, time.monotonic())
            for event in batch:
                if type(event) is TextDelta:
                    yield event.text

    def __next__(self) -> str:
        return next(self._chunks)

    def close(self) -> None:
        """End the request, so that the provider stops generating; may be called again."""
        self._chunks.close()
        self._batches.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncStream(AsyncIterator[str]):
    """The same for async."""

    def __init__(self, batches: AsyncGenerator[Batch, None]) -> None:
        self._meter = Meter(time.monotonic())
        self._batches = batches
        self._chunks = self._run()

    @property
    def completion(self) -> Completion:
        """What has come so far; after the last chunk, the whole answer."""
        return self._meter.completion(time.monotonic())

    async def _run(self) -> AsyncGenerator[str, None]:
        async for batch in self._batches:
            self._meter.write(batch, time.monotonic())
            for event in batch:
                if type(event) is TextDelta:
                    yield event.text

    async def __anext__(self) -> str:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """End the request, so that the provider stops generating; may be called again."""
        await self._chunks.aclose()
        await self._batches.aclose()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
