"""Cohere's chat API, version 2; answers in the format of version 1 are accepted too.

Sources: Cohere API reference, "Chat with Streaming" (v2/chat) and "List Models"; guide "Migrating From
API v1 to API v2", read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from llmstream.adapters import cohere_request, http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.cohere_common import ended, failure
from llmstream.adapters.content import content_events
from llmstream.adapters.json_values import (
    arguments_text,
    index_at,
    name_at,
    names_at,
    object_at,
    objects_at,
    text_at,
)
from llmstream.adapters.opening import ALONE, COHERE, check, ends, opened
from llmstream.adapters.tool_calls import ToolCalls
from llmstream.errors import ProviderError
from llmstream.events import Event, ReasoningDelta
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.wire.document import Document
from llmstream.wire.message import WireMessage

if TYPE_CHECKING:
    from llmstream.adapters.cohere_v1 import CohereV1Reader

EVENTS: Final = COHERE | {"tool-plan-delta", "tool-call-start", "tool-call-delta", "tool-call-end"} | {
    "citation-start", "citation-end", "debug",
}  # fmt: skip


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
        """Return the error for a refused request's response."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return None: no field is sent that some models reject."""
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the URL of the list of chat models, at most 1000."""
        return endpoint.base_url + "/v1/models?endpoint=chat&page_size=1000"

    def models(self, document: object) -> list[str]:
        """Return the models' names."""
        return names_at(document, "models", "name")


class CohereReader:
    """Reads one answer, streamed or whole."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls = ToolCalls()
        self._older: CohereV1Reader | None = None

    def read(self, message: WireMessage) -> Iterator[Event]:
        """Yield the events of one message."""
        if ends(message.data):
            self.done = True
            return
        document = opened(message)
        if isinstance(document.get("event_type"), str):
            yield from self._version1(document)
        elif isinstance(document.get("message"), dict) and "finish_reason" in document:
            yield from self._whole(document)
        elif document.get("type") in EVENTS or message.event in EVENTS:
            yield from self._event(str(document.get("type") or message.event), document)
        elif document:
            if message.event in ALONE:
                raise failure(document)
            check(message, document)

    def _version1(self, document: Document) -> Iterator[Event]:
        if self._older is None:
            from llmstream.adapters.cohere_v1 import CohereV1Reader

            self._older = CohereV1Reader()
        yield from self._older.read(document)
        self.done, self.finished = self._older.done, self._older.finished

    def _event(self, kind: str, document: Document) -> Iterator[Event]:
        delta = object_at(document, "delta")
        message = object_at(delta, "message")
        if kind in ("content-delta", "content-start"):
            yield from content_events(message.get("content"))
        elif kind == "tool-plan-delta":
            yield ReasoningDelta(text_at(message, "tool_plan"))
        elif kind in ("tool-call-start", "tool-call-delta"):
            for call in objects_at(message, "tool_calls"):
                yield from self._call(call, index_at(document, "index"), whole=kind == "tool-call-start")
        elif kind == "message-end":
            yield from self._end(delta, delta.get("usage"))

    def _call(self, call: Document, index: int | None, *, whole: bool) -> Iterator[Event]:
        function = object_at(call, "function") or call
        yield from self._calls.piece(
            index,
            name_at(call, "id"),
            name_at(function, "name"),
            arguments_text(function.get("arguments")),
            whole=whole,
        )

    def _end(self, end: Document, usage: object) -> Iterator[Event]:
        yield from ended(end, usage)
        self.finished = True

    def _whole(self, document: Document) -> Iterator[Event]:
        message = object_at(document, "message")
        plan = text_at(message, "tool_plan")
        if plan:
            yield ReasoningDelta(plan)
        yield from content_events(message.get("content"))
        for call in objects_at(message, "tool_calls"):
            yield from self._call(call, None, whole=True)
        yield from self._end(document, document.get("usage"))
        self.done = True
