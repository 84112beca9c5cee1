"""Folds the events of one run into a Completion: text, tool calls, usage and timing.

Used wherever more than the deltas is needed. Apart from the texts themselves, memory does not grow with
the number of deltas: the times between them go into a histogram.
"""

from __future__ import annotations

import math
from array import array
from typing import Final

from llmstream.errors import LLMStreamError
from llmstream.events import (
    Event,
    Fallback,
    Finish,
    FinishReason,
    Notice,
    ReasoningDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    Usage,
    Winner,
)
from llmstream.prompt import ToolCall
from llmstream.record import Record
from llmstream.wire.pieces import Pieces

STEPS_PER_OCTAVE: Final = 16
"""The histogram's resolution: neighbouring bounds differ by 4.4 %."""
SHORTEST: Final = 1e-6
TOGETHER: Final = 1024
"""Number of deltas that are joined into one string."""
BUCKETS: Final = 40 * STEPS_PER_OCTAVE


class Latency(Record):
    """Seconds between deltas; None if there are fewer than two."""

    p50: float | None = None
    p95: float | None = None
    max: float | None = None


class Timing(Record):
    """The timing of one run, in seconds.

    Args:
        ttft: from sending the request to the first text, thinking or tool call, None if there was none.
        total: from the start of the run to its end.
        itl: between consecutive deltas.
        chunks: number of deltas.
        output_tokens_per_second: reported output tokens divided by the time from the first delta to the
            last, None if no count was reported or all deltas arrived at once.
    """

    ttft: float | None = None
    total: float = 0.0
    itl: Latency = Latency()
    chunks: int = 0
    output_tokens_per_second: float | None = None


class Completion(Record):
    """A whole answer; ``str()`` returns its text.

    Args:
        text: all answer text.
        reasoning: all thinking text, empty if there was none.
        tool_calls: the complete calls, in order.
        finish_reason: one of a closed set, see `Finish`.
        raw_finish_reason: the provider's own word, None if it gave none.
        usage: token counts as reported.
        timing: times as measured here.
        provider: the provider that answered.
        model: the model's name.
        notices: messages for the user.
    """

    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason = "unknown"
    raw_finish_reason: str | None = None
    usage: Usage = Usage()
    timing: Timing = Timing()
    provider: str = ""
    model: str = ""
    notices: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


class Histogram:
    """Durations in logarithmic buckets: bounded memory, quantiles accurate to 2.2 %."""

    def __init__(self) -> None:
        self.counts = array("Q", bytes(8 * BUCKETS))
        self.count = 0
        self.longest = 0.0

    def add(self, seconds: float, times: int = 1) -> None:
        """Count one duration, `times` times."""
        index = int(math.log2(seconds / SHORTEST) * STEPS_PER_OCTAVE) if seconds > SHORTEST else 0
        self.counts[min(index, BUCKETS - 1)] += times
        self.count += times
        self.longest = max(self.longest, seconds)

    def quantile(self, share: float) -> float | None:
        """Return the duration that a `share` (0 to 1) of all do not exceed, None if none were counted."""
        rank, seen = math.ceil(share * self.count), 0
        for index, count in enumerate(self.counts):
            seen += count
            if count and seen >= rank:
                bound = SHORTEST * 2 ** ((index + 0.5) / STEPS_PER_OCTAVE) if index else 0.0
                return float(min(bound, self.longest))
        return None


class Meter:
    """A sink that collects the summary of a run.

    Args:
        began: when the run started, on the clock used for `write`.
        keep_text: whether to keep the answer text; thinking and tool calls are always kept.
    """

    def __init__(self, began: float, *, keep_text: bool = True) -> None:
        self.provider = self.model = ""
        self.finish: Finish | None = None
        self.usage = Usage()
        self.notices: list[str] = []
        self.chunks = 0
        self.first_at: float | None = None
        self._keep_text = keep_text
        self._began = self._sent = self._last = began
        self._pieces: list[str] = []
        self._text: list[str] = []
        self._reasoning = Pieces()
        self._calls: dict[int, tuple[list[str | None], Pieces]] = {}
        self._gaps: Histogram | None = None

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join([*self._pieces, *self._text])

    wants_text = True

    def open(self, plan: object, at: float) -> None:
        """Start at the monotonic time `at`."""
        self._began = at

    def write(self, batch: list[Event], at: float) -> None:
        """Handle the events of one read, received at the monotonic time `at`."""
        deltas = 0
        for event in batch:
            kind = type(event)
            if kind is TextDelta:
                deltas += 1
                if self._keep_text:
                    self._text.append(event.text)  # type: ignore[union-attr]  # kind says it
            elif kind is ReasoningDelta:
                deltas += 1
                self._reasoning.add(event.text)  # type: ignore[union-attr]
            else:
                deltas += self._note(event, at)
        if deltas:
            self._count(batch, deltas, at)
            if len(self._text) >= TOGETHER:
                self._pieces.append("".join(self._text))
                self._text.clear()

    def _note(self, event: Event, at: float) -> int:
        if isinstance(event, ToolCallDelta):
            known = self._calls.get(event.index)
            if known is None:
                known = self._calls[event.index] = ([None, None], Pieces())
            told, arguments = known
            told[:] = event.id or told[0], event.named(told[1])
            arguments.add(event.arguments)
            return 1
        if isinstance(event, Start):
            self.provider, self.model, self._sent = event.provider, event.model, at
        elif isinstance(event, Fallback | Winner):
            self.provider, self.model = event.provider, event.model
        elif isinstance(event, Usage):
            self.usage = event
        elif isinstance(event, Finish):
            self.finish = event
        elif isinstance(event, Notice):
            self.notices.append(event.message)
        return 0

    def _count(self, batch: list[Event], deltas: int, at: float) -> None:
        self.chunks += deltas
        if self.first_at is None:
            # some providers start with an empty delta, which is not a token
            if not any(getattr(event, "text", isinstance(event, ToolCallDelta)) for event in batch):
                return
            self.first_at = self._last = at
            deltas -= 1
        if deltas > 0:
            if self._gaps is None:
                self._gaps = Histogram()
            self._gaps.add(at - self._last)
            # all deltas of one read arrived at once
            self._gaps.add(0.0, deltas - 1)
        self._last = at

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Do nothing; the results are read from the attributes."""

    def timing(self, now: float) -> Timing:
        """Return the run's timing as of `now`."""
        gaps = self._gaps
        latency = Latency(gaps.quantile(0.5), gaps.quantile(0.95), gaps.longest) if gaps else Latency()
        first, tokens = self.first_at, self.usage.output_tokens
        span = self._last - first if first is not None else 0.0
        return Timing(
            ttft=None if first is None else first - self._sent,
            total=now - self._began,
            itl=latency,
            chunks=self.chunks,
            output_tokens_per_second=tokens / span if tokens and span > 0 else None,
        )

    def completion(self, now: float) -> Completion:
        """Return everything received so far as one value."""
        finish = self.finish or Finish("unknown")
        # several providers send no arguments at all for a tool that takes none
        nothing = "{}" if self.finish else ""
        calls = tuple(
            ToolCall(index, told[0], told[1] or "", arguments.text() or nothing)
            for index, (told, arguments) in sorted(self._calls.items())
        )
        return Completion(
            text=self.text,
            reasoning=self._reasoning.text(),
            tool_calls=calls,
            finish_reason="tool_calls" if calls and finish.reason == "stop" else finish.reason,
            raw_finish_reason=finish.raw,
            usage=self.usage,
            timing=self.timing(now),
            provider=self.provider,
            model=self.model,
            notices=tuple(self.notices),
        )
