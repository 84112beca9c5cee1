"""What `stream` and `astream` return: chunks as text, and at the end the whole completion."""

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
    """The answer's text, and how the answer ended."""

    def __init__(self) -> None:
        self._meter = Meter(time.monotonic())
        self._ended: FinishReason | None = None
        self._dropped = ""

    def batch(self, batch: Batch) -> Sequence[str]:
        """Return the chunks of text."""
        self._meter.write(batch, time.monotonic())
        return [event.text for event in batch if type(event) is TextDelta]

    def end(self, *, closed: bool) -> Sequence[str]:
        """Note how the answer ended, unless that is known."""
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
        """Leave out of the completion what was never given out."""
        self._dropped = "".join(pieces) + self._dropped

    def completion(self, waiting: Iterable[str]) -> Completion:
        """Return what has been given out so far; `waiting` are the chunks that have not been."""
        found = self._meter.completion(time.monotonic())
        behind = "".join(waiting) + self._dropped
        if behind:
            found = replace(found, text=found.text[: -len(behind)])
        elif self._ended is None or self._meter.finish is not None:
            return found
        return replace(found, finish_reason=self._ended or "unknown")


class Stream(Flow[str]):
    """The chunks of one answer; a context manager that ends the request when it is left.

    Args:
        start: begins the run.
    """

    def __init__(self, start: Callable[[], Batches]) -> None:
        self._text = Text()
        super().__init__(start, self._text)

    @property
    def completion(self) -> Completion:
        """What has been given out so far; after the last chunk, the whole answer.

        Its finish reason is ``error`` where the answer failed, ``cancelled`` where it was closed before
        its end, and ``unknown`` while more is to come.
        """
        return self._text.completion(self._flow.ready)

    def __enter__(self) -> Stream:
        return self


class AsyncStream(AsyncFlow[str]):
    """The same for async; a task that is cancelled ends the request too."""

    def __init__(self, start: Callable[[], AsyncBatches]) -> None:
        self._text = Text()
        super().__init__(start, self._text)

    @property
    def completion(self) -> Completion:
        """What has been given out so far; after the last chunk, the whole answer.

        Its finish reason is ``error`` where the answer failed, ``cancelled`` where it was closed or its
        task cancelled before its end, and ``unknown`` while more is to come.
        """
        return self._text.completion(self._flow.ready)

    async def __aenter__(self) -> AsyncStream:
        return self
