"""Converts the objects in a recording's lines to the engine's values; unknown content is ignored.

The text of a ValueError says what is wrong with a line; a TypeError or KeyError means that the line has
another format.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Final, TypeAlias

from llmstream import errors
from llmstream.adapters.base import Framing, HttpRequest
from llmstream.engine.effects import Head
from llmstream.engine.policy import Policy
from llmstream.errors import LLMStreamError, StreamBroken
from llmstream.prompt import Attachment, Message, Prompt, ToolCall
from llmstream.record import Record, names

Line: TypeAlias = dict[str, object]
FRAMINGS: Final = ("sse", "ndjson", "aws", "json-array", "text", "whole")
EXPECTED: Final[Mapping[str, Framing]] = {
    "exec": "text", "runnable": "ndjson", "ollama": "ndjson", "bedrock": "aws",
}  # fmt: skip
"""Framings by adapter, ``sse`` for all others, for recordings that name none and requests that stream."""


class Attempt:
    """One request of a call, and its response; times are in seconds from the first request of the run.

    `reads` are times and bytes; `error` is the error that ended the answer, None if its body ended or was
    abandoned; `ended` is false if the recording breaks off.  `stopped` is the reason why no further attempt
    followed although one was due.  `damage` is set if the next line can't be read, even if the answer before
    it was complete.

    Args:
        request: the request.
        began: when it was sent, None if not recorded.
        wait: seconds that the run waited before it, None if not recorded.
    """

    def __init__(self, request: HttpRequest, began: float | None = None, wait: float | None = None) -> None:
        self.request = request
        self.began = began
        self.wait = wait
        self.head: Head | None = None
        self.head_at = 0.0
        self.reads: list[tuple[float, bytes]] = []
        self.error: LLMStreamError | None = None
        self.ended = False
        self.ended_at = 0.0
        self.stopped: LLMStreamError | None = None
        self.damage: LLMStreamError | None = None


class RecordedCall(Record):
    """The attempts to get an answer from one model; fallbacks are separate calls.

    Args:
        provider: its name in the configuration at the time of the recording.
        adapter: name of the dialect.
        model: the model's name.
        attempts: at least one after the file was read.
        prompt: the prompt; empty if not recorded.
        options: temperature, max_tokens and so on, by name.
        policy: the limits; None if not recorded.
        stream: False if the answer was requested as a whole.
        base_url: the provider's base URL, empty if not recorded.
        key: the key's origin, None if none was sent or recorded.
    """

    provider: str
    adapter: str
    model: str
    attempts: list[Attempt]
    prompt: Prompt = Prompt(())
    options: Mapping[str, object] = {}
    policy: Policy | None = None
    stream: bool = True
    base_url: str = ""
    key: str | None = None


def seconds(value: object) -> float:
    """Return a number of seconds.

    Raises:
        ValueError: it is not a finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("its time is not a number")
    return float(value)


def text(value: object, name: str) -> str:
    """Return a value that must be text, which errors call `name`.

    Raises:
        ValueError: it is not text.
    """
    if not isinstance(value, str):
        raise ValueError(f"its {name} is not text")
    return value


def decoded(value: object) -> bytes:
    """Return the bytes of a base64 text.

    Raises:
        ValueError: it is not base64.
    """
    try:
        return base64.b64decode(text(value, "base64"), validate=True)
    except ValueError as error:
        raise ValueError("its base64 can't be decoded") from error


def head(line: Line) -> Head:
    """Return status and headers; the line may have the headers as an object or as pairs.

    Raises:
        ValueError: there is no valid status.
    """
    status, given = line["status"], line.get("headers") or {}
    if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 999:
        raise ValueError("its status is not an HTTP status")
    pairs = given.items() if isinstance(given, dict) else [(name, value) for name, value in given]  # type: ignore[attr-defined]
    return Head(status, {str(name).lower(): _joined(value) for name, value in pairs})


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def error(found: object) -> LLMStreamError | None:
    """Return a recorded error as it was raised, None if there is none.

    One of an unknown type becomes a StreamBroken.
    """
    if found is None:
        return None
    if not isinstance(found, dict):
        return StreamBroken(str(found))
    kind = getattr(errors, str(found.get("type")), None)
    if not (isinstance(kind, type) and issubclass(kind, LLMStreamError)):
        kind = StreamBroken
    status, retry_after, provider = found.get("status"), found.get("retry_after"), found.get("provider")
    made: LLMStreamError = kind(
        str(found.get("message", "")),
        hint=str(found.get("hint") or ""),
        provider=None if provider is None else str(provider),
        status=status if isinstance(status, int) else None,
        phase=found.get("phase"),
        retryable=bool(found.get("retryable")),
        retry_after=retry_after if isinstance(retry_after, int | float) else None,
    )
    return made


def http_request(found: Mapping[str, object], adapter: str) -> HttpRequest:
    """Return a request, whose recorded body may be an object or text."""
    body = found.get("body", "")
    text = body if isinstance(body, str) else json.dumps(body)
    headers, notices = found.get("headers"), found.get("notices")
    framing: Framing = EXPECTED.get(adapter, "sse")
    if found.get("framing") in FRAMINGS:
        framing = found["framing"]  # type: ignore[assignment]  # one of them
    elif isinstance(body, dict) and body.get("stream") is False:
        framing = "whole"
    return HttpRequest(
        method=str(found.get("method", "POST")),
        url=str(found.get("url", "")),
        headers={str(k): _joined(v) for k, v in headers.items()} if isinstance(headers, dict) else {},
        body=text.encode("utf-8", "replace"),
        framing=framing,
        notices=tuple(map(str, notices)) if isinstance(notices, list) else (),
    )


def call(line: Line) -> RecordedCall:
    """Return the call that a line starts, still without attempts."""
    described = line.get("call")
    more: Mapping[str, object] = described if isinstance(described, dict) else {}
    limits, options, key = more.get("limits"), more.get("options"), more.get("key")
    return RecordedCall(
        provider=str(line.get("provider") or "recording"),
        adapter=text(line["adapter"], "adapter"),
        model=str(line.get("model") or ""),
        attempts=[],
        prompt=_prompt(more.get("messages")),
        options=options if isinstance(options, dict) else {},
        policy=_policy(limits) if isinstance(limits, dict) else None,
        stream=more.get("stream") is not False,
        base_url=str(more.get("base_url") or ""),
        key=None if key is None else str(key),
    )


def _policy(limits: Mapping[str, object]) -> Policy:
    known = {name: seconds(limits[name]) for name in names(Policy()) if name in limits}
    retries = int(known.pop("max_retries", 0))
    return Policy(**known, max_retries=retries)


def _prompt(found: object) -> Prompt:
    listed = found if isinstance(found, list) else []
    return Prompt(tuple(_message(one) for one in listed if isinstance(one, dict)))


def _message(found: Mapping[str, object]) -> Message:
    attachments, calls = found.get("attachments") or (), found.get("tool_calls") or ()
    return Message(
        role=str(found.get("role", "user")),
        content=str(found.get("content", "")),
        attachments=tuple(
            Attachment(str(one.get("media_type")), None, one.get("url"), one.get("name"))
            for one in attachments  # type: ignore[attr-defined]  # anything else is a TypeError: damaged
        ),
        tool_calls=tuple(ToolCall(**one) for one in calls),  # type: ignore[attr-defined]
        tool_call_id=found.get("tool_call_id"),  # type: ignore[arg-type]
        name=found.get("name"),  # type: ignore[arg-type]
    )
