"""One measured request: when its tokens came, and what became of it."""

from __future__ import annotations

import time
from array import array

from llmstream.engine.effects import Batch
from llmstream.errors import LLMStreamError
from llmstream.events import Event, ReasoningDelta, Start, TextDelta, ToolCallDelta, Usage
from llmstream.runnable.runs import AsyncBatches


class Sample:
    """One request, in seconds on the monotonic clock.

    `sent` is when the request went out, `ended` when its last event came; `ttft` is from sending to the
    first text, thinking or tool call, None when none came; `gaps` are the times from chunk to chunk, 0
    between those that one read brought; `output_tokens` is None where the provider reported none; `error`
    is None where it went well.
    """

    def __init__(self, sent: float) -> None:
        self.sent = self.ended = sent
        self.ttft: float | None = None
        self.gaps = array("d")
        self.output_tokens: int | None = None
        self.error: LLMStreamError | None = None
        self._last = sent

    @property
    def e2e(self) -> float:
        """Seconds from sending the request to the last event."""
        return self.ended - self.sent

    @property
    def tpot(self) -> float | None:
        """Seconds an output token after the first, None where that can't be said."""
        if self.ttft is None or self.output_tokens is None or self.output_tokens < 2:
            return None
        return (self.e2e - self.ttft) / (self.output_tokens - 1)

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens over the time from the first chunk to the last, None where that can't be said."""
        span = sum(self.gaps)
        return self.output_tokens / span if self.output_tokens and span > 0 else None

    @property
    def itl(self) -> float | None:
        """The mean time from chunk to chunk, None where there are fewer than two."""
        return sum(self.gaps) / len(self.gaps) if self.gaps else None

    def write(self, batch: Batch, at: float) -> None:
        """Take the events of one read, at the time they came."""
        self.ended = at
        for event in batch:
            if _is_token(event):
                if self.ttft is None:
                    self.ttft = at - self.sent
                else:
                    self.gaps.append(at - self._last)
                self._last = at
            elif isinstance(event, Start):
                self.sent = at
            elif isinstance(event, Usage):
                self.output_tokens = event.output_tokens


async def sampled(batches: AsyncBatches) -> Sample:
    """Carry one request out and return what was measured; its failure is a part of that."""
    clock = time.monotonic
    sample = Sample(clock())
    try:
        async for batch in batches:
            sample.write(batch, clock())
    except LLMStreamError as error:
        sample.error, sample.ended = error, clock()
    finally:
        await batches.aclose()
    return sample


def _is_token(event: Event) -> bool:
    if isinstance(event, TextDelta | ReasoningDelta):
        return bool(event.text)
    return isinstance(event, ToolCallDelta)
