"""The streams that `stream` and `astream` return: chunks of text, then the whole completion."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from llmstream.engine.effects import Batch
from llmstream.engine.meter import Completion, Meter
from llmstream.errors import LLMStreamError
from llmstream.events import FinishReason, TextDelta
from llmstream.record import replace
from llmstream.runnable.flows import AsyncFlow, Flow, Pieces
from llmstream.runnable.runs import AsyncBatches, Batches


class Text(Pieces[str]):
    """Converts batches to chunks of text, and notes how the answer ended."""

    def __init__(self) -> None:
        self._meter = Meter(time.monotonic())
        self._ended: FinishReason | None = None
        self._dropped = ""

    def batch(self, batch: Batch) -> Sequence[str]:
        """Return the batch's chunks of text."""
        self._meter.write(batch, time.monotonic())
        return [event.text for event in batch if type(event) is TextDelta]

    def end(self, *, closed: bool) -> Sequence[str]:
        """Note how the answer ended, unless that is known already."""
        self._ended = self._ended or ("cancelled" if closed else "unknown")
        return ()

    def failed(self, error: LLMStreamError) -> Sequence[str]:
        """Note that the answer failed."""
        self.left(error)
        return ()

    def left(self, error: BaseException) -> None:
        """Note that the answer ended with an exception."""
        self._ended = self._ended or ("error" if isinstance(error, Exception) else "cancelled")

    def dropped(self, pieces: Iterable[str]) -> None:
        """Leave text that was never yielded out of the completion."""
        self._dropped = "".join(pieces) + self._dropped

    def completion(self, waiting: Iterable[str]) -> Completion:
        """Return the answer yielded so far; `waiting` are the chunks not yielded yet."""
        found = self._meter.completion(time.monotonic())
        behind = "".join(waiting) + self._dropped
        if behind:
            found = replace(found, text=found.text[: -len(behind)])
        elif self._ended is None or self._meter.finish is not None:
            return found
        return replace(found, finish_reason=self._ended or "unknown")


class Stream(Flow[str]):
    """The chunks of one answer; also a context manager that ends the request on exit.

    Args:
        start: starts the run.
    """

    def __init__(self, start: Callable[[], Batches]) -> None:
        self._text = Text()
        super().__init__(start, self._text)

    @property
    def completion(self) -> Completion:
        """The answer yielded so far; after the last chunk, the whole answer.

        Its finish reason is ``error`` if the answer failed, ``cancelled`` if the stream was closed
        before the end, and ``unknown`` until the end.
        """
        return self._text.completion(self._flow.ready)

    def __enter__(self) -> Stream:
        return self


class AsyncStream(AsyncFlow[str]):
    """The chunks of one answer, for asyncio; cancelling the task also ends the request."""

    def __init__(self, start: Callable[[], AsyncBatches]) -> None:
        self._text = Text()
        super().__init__(start, self._text)

    @property
    def completion(self) -> Completion:
        """The answer yielded so far; after the last chunk, the whole answer.

        Its finish reason is ``error`` if the answer failed, ``cancelled`` if the stream was closed or
        its task cancelled before the end, and ``unknown`` until the end.
        """
        return self._text.completion(self._flow.ready)

    async def __aenter__(self) -> AsyncStream:
        return self
