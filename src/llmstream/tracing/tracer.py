"""Convert typed events to LangChain's event dictionaries.

`--events` and the library's `astream_events` and `stream_events` share this module, so that they agree.
The format is LangChain's (langchain-core 1.8, `astream_events` versions v1 and v2) with two more keys,
`seq` and `t`. The keys of our own events are always in this order: event, run_id, name, tags, metadata,
data, parent_ids, seq, t.

Differences from LangChain: the end event has more than `output`, a failure has its own event, and chat
models have the same `on_llm_*` events, so that a script works with any model.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from llmstream.engine.meter import Completion, Timing
from llmstream.errors import LLMStreamError, UsageError
from llmstream.events import (
    Delta,
    Event,
    Fallback,
    Notice,
    ReasoningDelta,
    Retry,
    Step,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from llmstream.prompt import Json, Message, Options, Prompt, ToolCall

EventsVersion: TypeAlias = Literal["v1", "v2"]
EventDict: TypeAlias = dict[str, Json]


def uuid7(nanoseconds: int | None = None) -> str:
    """Return a new UUID of version 7; UUIDs of one machine sort by time, to a quarter of a microsecond.

    Args:
        nanoseconds: its time, in nanoseconds since 1970; None for now.

    Source: RFC 9562, section 5.7, and method 3 of section 6.2 for the twelve bits after the version.
    """
    milliseconds, rest = divmod(nanoseconds or time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    low = int.from_bytes(os.urandom(8), "big") >> 2
    digits = f"{milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | low:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def spoken(prompt: Prompt) -> tuple[str, Sequence[Message] | None]:
    """Return a start event's view of a prompt: its text, and its messages unless it is one plain text."""
    plain = len(prompt.messages) == 1 and prompt.messages[0] == Message("user", prompt.text)
    return prompt.text, None if plain else prompt.messages


def usage_data(usage: Usage) -> EventDict:
    """Return the five token counts, each None if the provider didn't report it."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cached_tokens": usage.cached_tokens,
    }


def timing_data(timing: Timing) -> EventDict:
    """Return a run's timing, in seconds to the microsecond."""
    latency = timing.itl
    return {
        "ttft": _rounded(timing.ttft),
        "total": _rounded(timing.total),
        "itl": {"p50": _rounded(latency.p50), "p95": _rounded(latency.p95), "max": _rounded(latency.max)},
        "chunks": timing.chunks,
        "output_tokens_per_second": _rounded(timing.output_tokens_per_second),
    }


def tool_calls_data(calls: Iterable[ToolCall | ToolCallDelta]) -> list[Json]:
    """Return tool calls, or pieces of them, as JSON objects."""
    return [{"index": c.index, "id": c.id, "name": c.name, "arguments": c.arguments} for c in calls]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _message_data(message: Message) -> EventDict:
    data: EventDict = {"role": message.role, "content": message.content}
    if message.attachments:
        # without their bytes, which would make the event as large as the files
        data["attachments"] = [
            {"media_type": a.media_type, "name": a.name, "url": a.url} for a in message.attachments
        ]
    if message.tool_calls:
        data["tool_calls"] = tool_calls_data(message.tool_calls)
    data |= {k: v for k in ("tool_call_id", "name") if (v := getattr(message, k)) is not None}
    return data


class Tracer:
    """Makes the event dictionaries of one run, all with its identity and numbered from 0.

    Args:
        version: of LangChain's event format; in v1 `output` is text, and metadata only the caller's.
        run_id: None for a new UUIDv7.
        name: the run's name.
        tags: tags of every event.
        metadata: the caller's metadata, for every event.
        parents: ids of the enclosing runs, the outermost first.
        prompt_text: the prompt's text.
        messages: the prompt's messages unless it is one plain text, see `spoken`.
        provider: the first provider to try.
        model: the first model to try.
        model_type: ``llm`` or ``chat``, as in LangChain's metadata.
        options: the request's options; v2's metadata has temperature, max_tokens and stop, as LangChain's.
        whole: whether the answer is not streamed: all deltas of a batch then make one stream event.

    Raises:
        UsageError: `version` is not one of LangChain's.
    """

    def __init__(
        self,
        version: EventsVersion = "v2",
        *,
        run_id: str | None = None,
        name: str = "LLM",
        tags: Sequence[str] = (),
        metadata: Mapping[str, Json] | None = None,
        parents: Sequence[str] = (),
        prompt_text: str = "",
        messages: Sequence[Message] | None = None,
        provider: str = "",
        model: str = "",
        model_type: Literal["llm", "chat"] = "llm",
        options: Options | None = None,
        whole: bool = False,
    ) -> None:
        if version not in ("v1", "v2"):
            raise UsageError(f"unknown events version {version!r}", hint="Use v1 or v2.")
        self.version = version
        self.run_id = run_id or uuid7()
        self.provider = provider
        self.model = model
        self.whole = whole
        self.seq = 0
        self._began = 0.0
        self._name = name
        self._tags = list(tags)
        self._parents = list(parents)
        self._input: EventDict = {"input": prompt_text}
        if messages is not None:
            self._input["messages"] = [_message_data(message) for message in messages]
        self._metadata: EventDict = dict(metadata or {})
        if version == "v2":
            self._metadata |= {"ls_provider": provider, "ls_model_type": model_type, "ls_model_name": model}
            given = (options or Options()).given()
            self._metadata |= {
                f"ls_{key}": given[key] for key in ("temperature", "max_tokens", "stop") if key in given
            }

    def stamp(self, at: float) -> float:
        """Return the `t` of an event received at the monotonic time `at`: seconds since the run's start."""
        return round(at - self._began, 6)

    def start(self, at: float) -> EventDict:
        """Return the first event; `at` is the start of the run, on the clock of all later times."""
        self._began = at
        return self._event("on_llm_start", dict(self._input), at)

    def batch(self, events: Iterable[Event], at: float) -> list[EventDict]:
        """Return the dictionaries of one read's events; some events have none."""
        if self.whole:
            deltas: list[Delta] = []
            others: list[Event] = []
            for event in events:
                if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
                    deltas.append(event)
                else:
                    others.append(event)
            merged = [self._event("on_llm_stream", _merged(deltas), at)] if deltas else []
            return [*merged, *self._each(others, at)]
        return self._each(events, at)

    def end(self, completion: Completion, now: float) -> EventDict:
        """Return the last event of a run that finished."""
        return self._event("on_llm_end", self.end_data(completion), now)

    def error(self, error: LLMStreamError, completion: Completion, now: float) -> EventDict:
        """Return the last event of a run that failed; `completion` is what was received before."""
        return self._event("on_llm_error", self.error_data(error, completion), now)

    def end_data(self, completion: Completion) -> EventDict:
        """Return the `data` of an end event."""
        cost = completion.usage.cost
        return {
            "output": self._output(completion),
            "text": completion.text,
            "reasoning": completion.reasoning or None,
            "tool_calls": tool_calls_data(completion.tool_calls),
            "finish_reason": completion.finish_reason,
            "raw_finish_reason": completion.raw_finish_reason,
            "usage": usage_data(completion.usage),
            "timing": timing_data(completion.timing),
            # JSON has no NaN, but a server's JSON may contain one
            "cost": cost if cost is not None and math.isfinite(cost) else None,
            "provider": completion.provider or self.provider,
            "model": completion.model or self.model,
        }

    def error_data(self, error: LLMStreamError, completion: Completion) -> EventDict:
        """Return the `data` of an error event."""
        return {
            "error": dict(error.to_dict()),
            "text": completion.text,
            "usage": usage_data(completion.usage),
            "timing": timing_data(completion.timing),
        }

    def _output(self, completion: Completion) -> Json:
        if self.version == "v1":
            return completion.text
        info: EventDict = {"finish_reason": completion.raw_finish_reason, "logprobs": None}
        generation: EventDict = {"text": completion.text, "generation_info": info, "type": "Generation"}
        return {"generations": [[generation]], "llm_output": None}

    def _each(self, events: Iterable[Event], at: float) -> list[EventDict]:
        made = []
        for event in events:
            if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
                made.append(self._event("on_llm_stream", _merged([event]), at))
            elif isinstance(event, Step):
                made.append(self._step(event, at))
            elif isinstance(event, Retry):
                made.append(
                    self._custom("retry", at, attempt=event.attempt, wait=event.wait, error=event.error)
                )
            elif isinstance(event, Fallback):
                made.append(
                    self._custom(
                        "fallback", at, provider=event.provider, model=event.model, error=event.error
                    )
                )
            elif isinstance(event, Notice):
                made.append(self._custom("warning", at, message=event.message))
        return made

    def _custom(self, kind: str, at: float, **data: Json) -> EventDict:
        return self._event("on_custom_event", data, at, name=f"llmstream.{kind}")

    def _event(self, event: str, data: EventDict, at: float, name: str | None = None) -> EventDict:
        made: EventDict = {
            "event": event,
            "run_id": self.run_id,
            "name": name or self._name,
            # copies: a caller's change to one event must not affect the next
            "tags": list(self._tags),
            "metadata": dict(self._metadata),
            "data": data,
            "parent_ids": list(self._parents),
        }
        return self._stamped(made, at)

    def _step(self, step: Step, at: float) -> EventDict:
        """Return a step's event; this run and its parents go before the parents that the object reported."""
        made = dict(step.event)
        within = made.get("parent_ids")
        parents = [*self._parents, self.run_id, *(within if isinstance(within, list) else ())]
        return self._stamped({**made, "parent_ids": parents}, at)

    def _stamped(self, made: EventDict, at: float) -> EventDict:
        made |= {"seq": self.seq, "t": self.stamp(at)}
        self.seq += 1
        return made


def _merged(deltas: Sequence[Delta]) -> EventDict:
    """Return the `data` of one stream event for these deltas."""
    data: EventDict = {"chunk": "".join([d.text for d in deltas if isinstance(d, TextDelta)])}
    reasoning = [d.text for d in deltas if isinstance(d, ReasoningDelta)]
    if reasoning:
        data["reasoning"] = "".join(reasoning)
    calls = [d for d in deltas if isinstance(d, ToolCallDelta)]
    if calls:
        data["tool_calls"] = tool_calls_data(calls)
    return data
