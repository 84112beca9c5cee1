"""What `stream` and `astream` return: chunks as text, and at the end the whole completion."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from types import TracebackType

from llmstream.engine.effects import Batch
from llmstream.engine.meter import Completion, Meter
from llmstream.events import FinishReason, TextDelta
from llmstream.record import replace


class _Answer:
    """What both kinds of stream know of their answer: what has come, and how it ended."""

    def __init__(self) -> None:
        self._meter = Meter(time.monotonic())
        self._ended: FinishReason | None = None

    @property
    def completion(self) -> Completion:
        """What has come so far; after the last chunk, the whole answer.

        Its finish reason is ``error`` where the answer failed, ``cancelled`` where it was closed or its
        task cancelled before its end, and ``unknown`` while more is to come.
        """
        found = self._meter.completion(time.monotonic())
        if self._ended is None or self._meter.finish is not None:
            return found
        return replace(found, finish_reason=self._ended)

    def _end(self, error: BaseException | None) -> None:
        """Note how the answer ended, unless that is known."""
        if self._ended is None:
            self._ended = "error" if isinstance(error, Exception) else "cancelled"


class Stream(_Answer, Iterator[str]):
    """The chunks of one answer; a context manager that ends the request when it is left.

    Args:
        batches: the run.
    """

    def __init__(self, batches: Generator[Batch, None, None]) -> None:
        super().__init__()
        self._batches = batches
        self._chunks = self._run()

    def _run(self) -> Generator[str, None, None]:
        try:
            for batch in self._batches:
                self._meter.write(batch, time.monotonic())
                for event in batch:
                    if type(event) is TextDelta:
                        yield event.text
        except BaseException as error:
            self._end(error)
            raise
        self._ended = "unknown"

    def __next__(self) -> str:
        return next(self._chunks)

    def close(self) -> None:
        """End the request, so that the provider stops generating; may be called again."""
        self._chunks.close()
        self._batches.close()
        self._end(None)

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncStream(_Answer, AsyncIterator[str]):
    """The same for async."""

    def __init__(self, batches: AsyncGenerator[Batch, None]) -> None:
        super().__init__()
        self._batches = batches
        self._chunks = self._run()

    async def _run(self) -> AsyncGenerator[str, None]:
        try:
            async for batch in self._batches:
                self._meter.write(batch, time.monotonic())
                for event in batch:
                    if type(event) is TextDelta:
                        yield event.text
        except BaseException as error:
            self._end(error)
            raise
        self._ended = "unknown"

    async def __anext__(self) -> str:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """End the request, so that the provider stops generating; may be called again."""
        await self._chunks.aclose()
        await self._batches.aclose()
        self._end(None)

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
