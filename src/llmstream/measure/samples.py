"""One measured request: the times of its chunks, and its outcome."""

from __future__ import annotations

import time
from array import array

from llmstream.engine.effects import Batch
from llmstream.errors import LLMStreamError
from llmstream.events import Event, ReasoningDelta, Start, TextDelta, ToolCallDelta, Usage
from llmstream.runnable.runs import AsyncBatches


class Sample:
    """One request and its times, in seconds.

    `sent` is when the request was sent, `ended` when its last event arrived or it failed, both on the
    monotonic clock; `ttft` is the time from sending to the first text, thinking or tool call, None if
    there was none; `gaps` are the times between consecutive chunks, 0 within one read; `output_tokens` is
    None if the provider reported no count; `error` is None if the request succeeded.
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
        """Seconds from sending the request to its end."""
        return self.ended - self.sent

    @property
    def tpot(self) -> float | None:
        """Seconds per output token after the first; None if it can't be computed."""
        if self.ttft is None or self.output_tokens is None or self.output_tokens < 2:
            return None
        return (self.e2e - self.ttft) / (self.output_tokens - 1)

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens divided by the seconds between the first chunk and the last, None if not known."""
        span = sum(self.gaps)
        return self.output_tokens / span if self.output_tokens and span > 0 else None

    @property
    def itl(self) -> float | None:
        """Mean seconds between consecutive chunks, None if there are fewer than two."""
        return sum(self.gaps) / len(self.gaps) if self.gaps else None

    def write(self, batch: Batch, at: float) -> None:
        """Handle the events of one read, received at the monotonic time `at`."""
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
    """Carry out one request and return its sample; an LLMStreamError is stored in it, not raised."""
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
