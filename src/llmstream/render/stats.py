"""`--stats`: a line for people with times, speed, token counts, finish reason and cost."""

from __future__ import annotations

from llmstream.engine.meter import Completion, Meter
from llmstream.errors import Cancelled, LLMStreamError
from llmstream.events import FinishReason, Usage
from llmstream.record import replace
from llmstream.render.base import Sink, Writer
from llmstream.render.guard import one_line
from llmstream.render.notes import dimmed


def stats_line(completion: Completion, *, color: bool = False) -> bytes:
    """Return the line of `--stats`; what was not measured or reported is left out.

    Args:
        completion: the result of a run, failed or not.
        color: whether the line may be dim.
    """
    timing, usage = completion.timing, completion.usage
    parts = []
    if timing.ttft is not None:
        parts.append(f"TTFT {timing.ttft:.2f} s")
    parts.append(f"total {timing.total:.2f} s")
    if timing.output_tokens_per_second is not None:
        parts.append(f"{timing.output_tokens_per_second:.1f} tokens/s")
    chunks = f"{timing.chunks} chunk{'s' if timing.chunks != 1 else ''}"
    parts.append(_tokens(usage) or f"tokens not reported, {chunks}")
    parts.append(f"finish {completion.finish_reason}")
    if usage.cost is not None:
        parts.append(f"cost {usage.cost:.6g}")
    who = f"{completion.provider}/{completion.model}: " if completion.provider else ""
    return dimmed(one_line(who + ", ".join(parts)), color)


def _tokens(usage: Usage) -> str:
    parts = []
    if usage.input_tokens is not None:
        cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
        parts.append(f"{usage.input_tokens} tokens in{cached}")
    if usage.output_tokens is not None:
        thought = f" ({usage.reasoning_tokens} reasoning)" if usage.reasoning_tokens else ""
        parts.append(f"{usage.output_tokens} tokens out{thought}")
    return ", ".join(parts)


class StatsSink(Sink):
    """Writes the line of `--stats` at the end of the run.

    Args:
        writer: standard error.
        meter: the run's meter; the caller must give it each batch before this sink.
        color: whether the line may be dim.
    """

    wants_text = False

    def __init__(self, writer: Writer, meter: Meter, *, color: bool) -> None:
        self._writer = writer
        self._meter = meter
        self._color = color

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Write the line."""
        completion = self._meter.completion(now)
        if error is not None and completion.finish_reason == "unknown":
            ended: FinishReason = "cancelled" if isinstance(error, Cancelled) else "error"
            completion = replace(completion, finish_reason=ended)
        self._writer.write(stats_line(completion, color=self._color))
