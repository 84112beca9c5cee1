"""Cohere's chat API, version 2; answers of version 1 are understood, too.

Sources: Cohere API reference, "Chat with Streaming" (v2/chat) and "List Models"; guide "Migrating From
API v1 to API v2", read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llmstream.adapters import cohere_request, http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.cohere_common import ended, failure
from llmstream.adapters.json_values import names_at, text_at
from llmstream.errors import ProviderError
from llmstream.events import Event, ReasoningDelta, TextDelta, ToolCallDelta
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.wire.document import Document, parse_object
from llmstream.wire.message import WireMessage

if TYPE_CHECKING:
    from llmstream.adapters.cohere_v1 import CohereV1Reader


class Cohere:
    """The ``/v2/chat`` dialect."""

    name = "cohere"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request."""
        body = {"model": endpoint.model, **cohere_request.body(prompt, options), "stream": stream}
        notices = tuple(cohere_request.notices(prompt, options))
        return common.post(endpoint, "/v2/chat", body, stream=stream, notices=notices)

    def reader(self) -> CohereReader:
        """Return a reader for one answer."""
        return CohereReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return what a refused request's answer says."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return None: nothing is sent that some models refuse."""
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the address of the list of chat models; a page holds 1000 at most."""
        return endpoint.base_url + "/v1/models?endpoint=chat&page_size=1000"

    def models(self, document: object) -> list[str]:
        """Return the models' names."""
        return names_at(document, "models", "name")


class CohereReader:
    """Reads one answer, streamed or whole."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._older: CohereV1Reader | None = None

    def read(self, message: WireMessage) -> list[Event]:
        """Return the events of one message."""
        if message.data.strip() == "[DONE]":
            self.done = True
            return []
        document = parse_object(message.data)
        events: list[Event] = []
        if "type" in document:
            self._event(document, events)
        elif "event_type" in document:
            events += self._version1(document)
        elif isinstance(document.get("message"), dict) and "finish_reason" in document:
            self._whole(document, events)
        else:
            raise failure(document)
        return events

    def _version1(self, document: Document) -> list[Event]:
        if self._older is None:
            from llmstream.adapters.cohere_v1 import CohereV1Reader

            self._older = CohereV1Reader()
        events = self._older.read(document)
        self.done, self.finished = self._older.done, self._older.finished
        return events

    def _event(self, document: Document, events: list[Event]) -> None:
        kind = document["type"]
        if kind in ("content-delta", "content-start"):
            _content(document["delta"]["message"]["content"], events)
        elif kind == "tool-plan-delta":
            events.append(ReasoningDelta(text_at(document["delta"]["message"], "tool_plan")))
        elif kind in ("tool-call-start", "tool-call-delta"):
            self._tool_call(document["delta"]["message"]["tool_calls"], int(document["index"]), events)
        elif kind == "message-end":
            self._end(document["delta"], document["delta"].get("usage"), events)

    def _tool_call(self, call: Document, index: int, events: list[Event]) -> None:
        function = call["function"]
        name = text_at(function, "name") or None
        arguments = text_at(function, "arguments")
        events.append(ToolCallDelta(index, text_at(call, "id") or None, name, arguments))

    def _end(self, end: Document, usage: Document | None, events: list[Event]) -> None:
        events += ended(end, usage)
        self.finished = True

    def _whole(self, document: Document, events: list[Event]) -> None:
        message = document["message"]
        plan = text_at(message, "tool_plan")
        if plan:
            events.append(ReasoningDelta(plan))
        for part in message.get("content") or ():
            _content(part, events)
        for index, call in enumerate(message.get("tool_calls") or ()):
            self._tool_call(call, index, events)
        self._end(document, document.get("usage"), events)
        self.done = True


def _content(part: Document, events: list[Event]) -> None:
    thinking, text = text_at(part, "thinking"), text_at(part, "text")
    if thinking:
        events.append(ReasoningDelta(thinking))
    if text:
        events.append(TextDelta(text))
