"""Anthropic's messages API, spoken by Anthropic, Vertex, some proxies and llama.cpp.

Sources: Anthropic API reference, "Create a Message"; guides "Streaming messages", "Streaming
refusals" and "Errors", read 2026-11; recorded answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters import anthropic_request, http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.json_values import count_at, laid_over, names_at, sum_at, text_at
from llmstream.errors import ProviderError
from llmstream.events import (
    Event,
    Finish,
    FinishReason,
    Notice,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from llmstream.prompt import Endpoint, Json, Options, Prompt
from llmstream.record import replace
from llmstream.wire.document import Document, parse_object
from llmstream.wire.message import WireMessage

VERSION: Final = "2023-06-01"
ALWAYS_THINKS: Final = "this model can't be told to leave thinking out: it thinks"
FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop", "stop_sequence": "stop", "pause_turn": "stop", "max_tokens": "length",
    "model_context_window_exceeded": "length", "tool_use": "tool_calls", "refusal": "content_filter",
}  # fmt: skip
"""Source: guide "Handling stop reasons"."""
CACHE: Final = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Input that ``input_tokens`` leaves out, where OpenAI's counts have it ("Prompt caching")."""


class Anthropic:
    """The ``/v1/messages`` dialect."""

    name = "anthropic"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request."""
        body: dict[str, Json] = {
            "model": endpoint.model, **anthropic_request.body(prompt, options), "stream": stream,
        }  # fmt: skip
        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream" if stream else "application/json",
            "anthropic-version": VERSION,
        }
        if endpoint.api_key is not None:
            headers["x-api-key"] = endpoint.api_key.reveal()
        return HttpRequest(
            method="POST",
            url=_versioned(endpoint) + "/messages",
            headers={**headers, **endpoint.headers},
            body=common.encode(laid_over(body, endpoint.extra_body)),
            framing="sse" if stream else "whole",
            notices=tuple(anthropic_request.notices(prompt, options)),
        )

    def reader(self) -> AnthropicReader:
        """Return a reader for one answer."""
        return AnthropicReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return what a refused request's answer says."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return the request with thinking in the way of older models, or without a word on it."""
        if error.status != 400:
            return None
        body = anthropic_request.with_other_thinking(json.loads(request.body), error.message)
        if body is None:
            return None
        notices = request.notices if "thinking" in body else (*request.notices, ALWAYS_THINKS)
        return replace(request, body=common.encode(body), notices=notices)

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the address of the model list."""
        return _versioned(endpoint) + "/models?limit=1000"

    def models(self, document: object) -> list[str]:
        """Return the ids in a model list."""
        return names_at(document, "data", "id")


def _versioned(endpoint: Endpoint) -> str:
    """Return the address with the version, which some write behind it themselves."""
    return endpoint.base_url.removesuffix("/v1") + "/v1"


class AnthropicReader:
    """Reads one answer; tools that the provider runs itself are no calls for its caller to make."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls: dict[int, int] = {}
        self._usage: dict[str, int | None] = {}

    def read(self, message: WireMessage) -> list[Event]:
        """Return the events of one message; pings and unknown types have none."""
        if message.data.strip() == "[DONE]":  # OpenRouter's own end mark
            self.done = True
            return []
        document = parse_object(message.data)
        kind = document.get("type")
        if kind == "content_block_delta":
            return list(self._delta(document.get("index", 0), document["delta"]))
        if kind == "error" or document.get("error") is not None:
            raise common.reported(document.get("error"), document)
        return list(self._other(kind, document, message.event))

    def _other(self, kind: object, document: Document, event: str) -> Iterator[Event]:
        if kind == "content_block_start":
            yield from self._block(int(document.get("index", 0)), document["content_block"])
        elif kind == "message_start":
            yield from self._counted(document["message"].get("usage"))
        elif kind == "message_delta":
            yield from self._finish(document["delta"])
            yield from self._counted(document.get("usage"))
        elif kind == "message_stop":
            self.done = True
        elif kind == "message":
            for index, block in enumerate(document["content"]):
                yield from self._block(index, block)
            yield from self._finish(document)
            yield from self._counted(document.get("usage"))
            self.done = True
        elif event in ("whole", "bare", "error"):
            raise common.reported(None, document)

    def _block(self, index: int, block: Document) -> Iterator[Event]:
        """Yield what a block begins with; in a whole document that is all of it."""
        kind = block.get("type")
        if kind == "text" and block.get("text"):
            yield TextDelta(text_at(block, "text"))
        elif kind == "thinking" and block.get("thinking"):
            yield ReasoningDelta(text_at(block, "thinking"))
        elif kind == "tool_use":
            self._calls[index] = len(self._calls)
            given = block.get("input")
            arguments = json.dumps(given, ensure_ascii=False) if given else ""
            yield ToolCallDelta(
                self._calls[index], block.get("id") or None, text_at(block, "name"), arguments
            )

    def _delta(self, index: int, delta: Document) -> Iterator[Event]:
        kind = delta.get("type")
        if kind == "text_delta":
            yield TextDelta(text_at(delta, "text"))
        elif kind == "thinking_delta":
            yield ReasoningDelta(text_at(delta, "thinking"))
        elif kind == "input_json_delta" and index in self._calls:
            piece = text_at(delta, "partial_json")
            if piece:
                yield ToolCallDelta(self._calls[index], None, None, piece)

    def _finish(self, delta: Document) -> Iterator[Event]:
        reason = delta.get("stop_reason")
        if reason:
            self.finished = True
            why = text_at(delta.get("stop_details") or {}, "explanation")
            if why:
                yield Notice(why)
            yield Finish(FINISH_REASONS.get(reason, "unknown"), reason)

    def _counted(self, counts: Document | None) -> Iterator[Event]:
        """Yield the usage so far.

        message_delta's counts are cumulative: the last one given holds, don't add ("Streaming
        messages").  Through OpenRouter the first ones are zeros and nulls.
        """
        for key in ("input_tokens", "output_tokens", *CACHE):
            count = count_at(counts or {}, key)
            if count is not None:
                self._usage[key] = count
        thought = count_at((counts or {}).get("output_tokens_details") or {}, "thinking_tokens")
        if thought is not None:
            self._usage["thinking_tokens"] = thought
        if self._usage:
            found = self._usage.get
            yield Usage(
                input_tokens=sum_at(self._usage, "input_tokens", *CACHE),
                output_tokens=found("output_tokens"),
                reasoning_tokens=found("thinking_tokens"),
                cached_tokens=found(CACHE[0]),
            )
