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
    """What both kinds of stream know of their answer: what has come, and how it ended.

    The generators below hold this and not the stream: a stream that nobody holds any more is
    gone at once, and its connection with it.
    """

    def __init__(self) -> None:
        self.meter = Meter(time.monotonic())
        self._ended: FinishReason | None = None

    def completion(self) -> Completion:
        """Return what has come so far."""
        found = self.meter.completion(time.monotonic())
        if self._ended is None or self.meter.finish is not None:
            return found
        return replace(found, finish_reason=self._ended)

    def end(self, reason: FinishReason) -> None:
        """Note how the answer ended, unless that is known."""
        self._ended = self._ended or reason

    def leave(self, error: BaseException) -> None:
        """Note that the answer ended with an exception."""
        self.end("error" if isinstance(error, Exception) else "cancelled")


def _chunks(batches: Generator[Batch, None, None], answer: _Answer) -> Generator[str, None, None]:
    try:
        for batch in batches:
            answer.meter.write(batch, time.monotonic())
            for event in batch:
                if type(event) is TextDelta:
                    yield event.text
    except BaseException as error:
        answer.leave(error)
        raise
    answer.end("unknown")


async def _achunks(batches: AsyncGenerator[Batch, None], answer: _Answer) -> AsyncGenerator[str, None]:
    try:
        async for batch in batches:
            answer.meter.write(batch, time.monotonic())
            for event in batch:
                if type(event) is TextDelta:
                    yield event.text
    except BaseException as error:
        answer.leave(error)
        raise
    answer.end("unknown")


class Stream(Iterator[str]):
    """The chunks of one answer; a context manager that ends the request when it is left.

    Args:
        batches: the run.
    """

    def __init__(self, batches: Generator[Batch, None, None]) -> None:
        self._answer = _Answer()
        self._batches = batches
        self._chunks = _chunks(batches, self._answer)

    @property
    def completion(self) -> Completion:
        """What has come so far; after the last chunk, the whole answer.

        Its finish reason is ``error`` where the answer failed, ``cancelled`` where it was closed before
        its end, and ``unknown`` while more is to come.
        """
        return self._answer.completion()

    def __next__(self) -> str:
        return next(self._chunks)

    def close(self) -> None:
        """End the request, so that the provider stops generating; may be called again."""
        self._chunks.close()
        self._batches.close()
        self._answer.end("cancelled")

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncStream(AsyncIterator[str]):
    """The same for async; a task that is cancelled ends the request too."""

    def __init__(self, batches: AsyncGenerator[Batch, None]) -> None:
        self._answer = _Answer()
        self._batches = batches
        self._chunks = _achunks(batches, self._answer)

    @property
    def completion(self) -> Completion:
        """What has come so far; after the last chunk, the whole answer.

        Its finish reason is ``error`` where the answer failed, ``cancelled`` where it was closed or its
        task cancelled before its end, and ``unknown`` while more is to come.
        """
        return self._answer.completion()

    async def __anext__(self) -> str:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """End the request, so that the provider stops generating; may be called again."""
        await self._chunks.aclose()
        await self._batches.aclose()
        self._answer.end("cancelled")

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
