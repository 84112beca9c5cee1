"""OpenAI's responses API, which OpenRouter, xAI, Perplexity and local servers speak too.

Sources: OpenAI API reference, "Create a model response" and "Responses: streaming events"; the
Open Responses specification; LM Studio's reference, read 2026-11; recorded answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from llmstream.adapters import http_errors, openai_responses_request
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.json_values import count_at, text_at
from llmstream.errors import ProviderError
from llmstream.events import Event, Finish, FinishReason, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.record import replace
from llmstream.wire.document import Document, parse_object
from llmstream.wire.message import WireMessage

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "completed": "stop", "cancelled": "cancelled",
    "max_output_tokens": "length", "max_tokens": "length", "content_filter": "content_filter",
}  # fmt: skip
"""Statuses, and the reasons of ``incomplete_details``."""

CALLS: Final[Mapping[str, str]] = {"function_call": "arguments", "custom_tool_call": "input"}
"""Items that ask the caller to do something, and where their arguments are; servers run the others."""


class OpenAIResponses:
    """The ``/responses`` dialect."""

    name = "openai-responses"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request."""
        body = {"model": endpoint.model, **openai_responses_request.body(prompt, options), "stream": stream}
        notices = tuple(openai_responses_request.notices(prompt, options))
        return common.post(endpoint, "/responses", body, stream=stream, notices=notices)

    def reader(self) -> ResponsesReader:
        """Return a reader for one answer."""
        return ResponsesReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return what a refused request's answer says."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return the request without ``store``, or without a summary of the reasoning.

        OpenAI summarises for verified organisations only: "Your organization must be verified to
        generate reasoning summaries" (``reasoning.summary``, status 400).
        """
        body = json.loads(request.body)
        reasoning = body.get("reasoning")
        if common.names_field(error, "summar") and isinstance(reasoning, dict) and "summary" in reasoning:
            del reasoning["summary"]
            return replace(request, body=common.encode(body))
        return common.without(request, "store") if common.names_field(error, "store") else None

    models_url = staticmethod(common.models_url)
    models = staticmethod(common.models)


class ResponsesReader:
    """Reads one answer, streamed or whole; several messages in it make one text.

    Items are told apart by their ``output_index``: GitHub Copilot gives another id in each event.
    """

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._answered = False
        self._thought: tuple[object, ...] = ()
        self._calls: dict[object, int] = {}
        self._argued: set[object] = set()

    def read(self, message: WireMessage) -> Iterable[Event]:
        """Return the events of one message, by the type in its data: OpenRouter names no events."""
        if message.data.strip() == "[DONE]":
            self.done = True
            return []
        document = parse_object(message.data)
        kind = document.get("type")
        if kind == "response.output_text.delta":
            self._answered = True
            return [TextDelta(text_at(document, "delta"))]
        return self._other(kind, document, message.event)

    def _other(self, kind: object, document: Document, event: str) -> Iterator[Event]:
        place = document.get("output_index", document.get("item_id"))
        match kind:
            case "response.refusal.delta":
                self._answered = True
                yield TextDelta(text_at(document, "delta"))
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                part = document.get("summary_index", document.get("content_index"))
                yield self._thinking((place, part), text_at(document, "delta"))
            case "response.output_item.added" | "response.output_item.done":
                yield from self._call(place, document["item"], complete=kind.endswith("done"))
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                yield from self._arguments(place, text_at(document, "delta"))
            case "response.function_call_arguments.done" | "response.custom_tool_call_input.done":
                yield from self._missing(place, text_at(document, "arguments") or text_at(document, "input"))
            case "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled":
                yield from self._end(document["response"], kind.rpartition(".")[2])
            case None if document.get("object") == "response":
                yield from self._end(document, text_at(document, "status"))
            case _ if kind == "error" or document.get("error") or event in ("error", "whole", "bare"):
                raise _reported(document)

    def _thinking(self, part: tuple[object, ...], text: str) -> Event:
        """Return a piece of thinking; a blank line stands between the parts."""
        self._answered = True
        between = "\n\n" if self._thought and part != self._thought else ""
        self._thought = part
        return ReasoningDelta(between + text)

    def _call(self, place: object, item: Document, *, complete: bool) -> Iterator[Event]:
        """Yield a call's beginning, and its arguments when the item is complete."""
        where = CALLS.get(item["type"])
        if where is None:
            return
        if place not in self._calls:
            self._answered = True
            self._calls[place] = len(self._calls)
            id_ = text_at(item, "call_id") or text_at(item, "id") or None
            yield ToolCallDelta(self._calls[place], id_, text_at(item, "name"), "")
        if complete:
            yield from self._missing(place, text_at(item, where))

    def _arguments(self, place: object, piece: str) -> Iterator[Event]:
        if piece and place in self._calls:
            self._argued.add(place)
            yield ToolCallDelta(self._calls[place], None, None, piece)

    def _missing(self, place: object, arguments: str) -> Iterator[Event]:
        """Yield a call's arguments unless they came in pieces: LM Studio gives them whole only."""
        if place not in self._argued:
            yield from self._arguments(place, arguments)

    def _end(self, response: Document, status: str) -> Iterator[Event]:
        if status == "failed" or response.get("error") is not None:
            raise _reported(response)
        self.finished = self.done = True
        if not self._answered:
            for place, item in enumerate(response.get("output") or ()):
                yield from self._item(place, item)
        if response.get("usage"):
            yield _usage(response["usage"])
        raw = text_at(response.get("incomplete_details") or {}, "reason") or status
        reason = FINISH_REASONS.get(raw, "unknown")
        yield Finish("tool_calls" if reason == "stop" and self._calls else reason, raw or None)

    def _item(self, place: int, item: Document) -> Iterator[Event]:
        """Yield what one item of a whole answer holds."""
        if item["type"] == "message":
            for part in item.get("content") or ():
                yield TextDelta(text_at(part, "text") or text_at(part, "refusal"))
        elif item["type"] == "reasoning":
            for index, part in enumerate([*(item.get("summary") or ()), *(item.get("content") or ())]):
                yield self._thinking((place, index), text_at(part, "text"))
        else:
            yield from self._call(place, item, complete=True)


def _usage(counts: Document) -> Event:
    """Return ``ResponseUsage`` as an event; OpenRouter adds ``cost`` in dollars."""
    cost = counts.get("cost")
    return Usage(
        input_tokens=count_at(counts, "input_tokens"),
        output_tokens=count_at(counts, "output_tokens"),
        total_tokens=count_at(counts, "total_tokens"),
        reasoning_tokens=count_at(counts.get("output_tokens_details") or {}, "reasoning_tokens"),
        cached_tokens=count_at(counts.get("input_tokens_details") or {}, "cached_tokens"),
        cost=float(cost) if isinstance(cost, int | float) else None,
    )


def _reported(document: Document) -> ProviderError:
    """Return the failure that an event reports, in itself or under ``error``."""
    itself = {key: value for key, value in document.items() if key != "type"}
    error = document.get("error")
    return common.reported(itself if error is None else error, document)
