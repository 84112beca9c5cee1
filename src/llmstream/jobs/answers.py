"""The result for one prompt: an object of the library, or one line of the output."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Final

from llmstream.engine.meter import Completion, Timing
from llmstream.errors import LLMStreamError
from llmstream.events import Usage
from llmstream.jobs.inputs import Id
from llmstream.jobs.keys import key_text
from llmstream.prompt import Json, ToolCall
from llmstream.record import Record

DUMPS: Final = json.JSONEncoder(ensure_ascii=False).encode
SURROGATES: Final = re.compile("[\ud800-\udfff]")
NOTHING: Final = Completion("", timing=Timing())


class Result(Record):
    """One prompt's answer, or the reason why there is none.

    Args:
        id: the prompt's id, or its position in the inputs, from 1, as text.
        text: the answer, or the part of it that arrived.
        reasoning: thinking text, None if there was none.
        tool_calls: the complete calls, in order.
        finish_reason: one of a closed set, see `Finish`; ``error`` together with an error.
        usage: as the provider reported it.
        timing: as measured here, None if nothing was asked.
        provider: the provider that answered or was asked last, None if nothing was asked.
        model: its model, None if nothing was asked.
        error: the error, None if the prompt succeeded.
        key: 32 hex digits that identify the prompt, model and options.
    """

    id: Id
    text: str
    reasoning: str | None
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str
    usage: Usage
    timing: Timing | None
    provider: str | None
    model: str | None
    error: LLMStreamError | None
    key: str

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> Mapping[str, Json]:
        """Return the object that `llmstream batch` writes."""
        completion = Completion(
            self.text,
            self.reasoning or "",
            self.tool_calls,
            self.finish_reason,  # type: ignore[arg-type]  # it is that of a Completion
            None,
            self.usage,
            self.timing or Timing(),
            self.provider or "",
            self.model or "",
        )
        made: dict[str, Json] = json.loads(
            line_of(self.id, int(self.key, 16), completion, self.error, timed=self.timing is not None)
        )
        return made


def result_of(id_: Id, key: int, completion: Completion, error: LLMStreamError | None) -> Result:
    """Return the result object of one prompt."""
    asked = bool(completion.provider)
    return Result(
        id_,
        completion.text,
        completion.reasoning or None,
        completion.tool_calls,
        "error" if error is not None else completion.finish_reason,
        completion.usage,
        completion.timing if asked else None,
        completion.provider or None,
        completion.model or None,
        error,
        key_text(key),
    )


def line_of(
    id_: Id, key: int, completion: Completion, error: LLMStreamError | None, *, timed: bool = True
) -> str:
    """Return one prompt's line of the output, with its LF.

    A template, not a dictionary: at thousands of answers a second the difference matters.

    Args:
        id_: the prompt's id.
        key: the key as a number.
        completion: the answer, or the part of it that arrived.
        error: the error, None if the prompt succeeded.
        timed: False for an answer with unknown times.
    """
    quote = encode_basestring
    asked = bool(completion.provider)
    calls = "[]"
    if completion.tool_calls:
        calls = DUMPS(
            [
                {"index": one.index, "id": one.id, "name": one.name, "arguments": one.arguments}
                for one in completion.tool_calls
            ]
        )
    line = (
        f'{{"id": {quote(id_) if type(id_) is str else DUMPS(id_)}, "text": {quote(completion.text)}, '
        f'"reasoning": {quote(completion.reasoning) if completion.reasoning else "null"}, '
        f'"tool_calls": {calls}, '
        f'"finish_reason": "{completion.finish_reason if error is None else "error"}", '
        f'"usage": {_usage(completion.usage)}, '
        f'"timing": {_timing(completion.timing) if timed and asked else "null"}, '
        f'"provider": {quote(completion.provider) if asked else "null"}, '
        f'"model": {quote(completion.model) if asked else "null"}, '
        f'"error": {"null" if error is None else DUMPS(dict(error.to_dict()))}, '
        f'"key": "{key_text(key)}"}}\n'
    )
    return line.replace("\x7f", "\\u007f") if "\x7f" in line else line


def encoded(line: str) -> bytes:
    """Return a line as UTF-8, with lone surrogates as U+FFFD."""
    try:
        return line.encode()
    except UnicodeEncodeError:
        return SURROGATES.sub("\ufffd", line).encode()


def _usage(usage: Usage) -> str:
    return (
        f'{{"input_tokens": {_count(usage.input_tokens)}, "output_tokens": {_count(usage.output_tokens)}, '
        f'"total_tokens": {_count(usage.total_tokens)}, '
        f'"reasoning_tokens": {_count(usage.reasoning_tokens)}, '
        f'"cached_tokens": {_count(usage.cached_tokens)}}}'
    )


def _timing(timing: Timing) -> str:
    gaps = timing.itl
    return (
        f'{{"ttft": {_seconds(timing.ttft)}, "total": {_seconds(timing.total)}, '
        f'"itl": {{"p50": {_seconds(gaps.p50)}, "p95": {_seconds(gaps.p95)}, "max": {_seconds(gaps.max)}}}, '
        f'"chunks": {timing.chunks}, '
        f'"output_tokens_per_second": {_seconds(timing.output_tokens_per_second)}}}'
    )


def _count(value: int | None) -> str:
    return "null" if value is None else str(value)


def _seconds(value: float | None) -> str:
    return "null" if value is None else repr(round(value, 6))
