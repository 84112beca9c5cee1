"""Uses a Python object as a model: the adapter ``runnable``.

A separate transport (the package `foreign`) calls the object and returns each chunk of its output as a
line of JSON, so that the engine handles limits, retries, events and errors as for any provider.  Both
ends of this protocol are ours:

    {"text": "..."}  {"reasoning": "..."}  {"tool_calls": [{"index", "id", "name", "arguments"}]}
    {"usage": {"input_tokens": 3, ...}}  {"finish": "stop"}  {"end": true}
    {"step": "..."}: an event of a step as JSON text, whose nesting does not add to that of the line

Source: langchain-core 1.7, `AIMessageChunk` and `UsageMetadata`, whose counts are added up over chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from llmstream.adapters import http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.finish_reasons import finish
from llmstream.adapters.json_values import (
    LARGEST_COUNT,
    arguments_text,
    count_at,
    extras_at,
    index_at,
    name_at,
    objects_at,
    reason_at,
    text_at,
)
from llmstream.adapters.openai_messages import chat_messages
from llmstream.errors import ProviderError
from llmstream.events import Event, Finish, ReasoningDelta, Step, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Endpoint, Json, Options, Prompt
from llmstream.wire.document import Document, parse_object
from llmstream.wire.message import WireMessage

METHOD: Final = "CALL"
"""The method of a request that calls an object."""

BOUND: Final = ("tools", "tool_choice")
"""Options bound to the finished object rather than passed to its factory: LangChain's `bind_tools`."""

COUNTS: Final = ("input_tokens", "output_tokens", "total_tokens", "reasoning_tokens", "cached_tokens")


class Foreign:
    """The adapter ``runnable``.

    Args:
        factory: what makes the object, ``package.module:Class``; named in errors.
    """

    name = "runnable"

    def __init__(self, factory: str = "") -> None:
        self._factory = factory
        # LangChain's naming convention: ChatOpenAI and AzureChatOpenAI are chat models, OpenAI is not
        self.kind = "chat" if "Chat" in factory.rpartition(":")[2] else "llm"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return a request whose body has the object's input and arguments as JSON."""
        given = options.given()
        body: dict[str, Json] = {
            "input": spoken(prompt),
            "arguments": {
                **{name: value for name, value in given.items() if name not in (*BOUND, "schema")},
                **options.extra,
            },
            "bound": {name: given[name] for name in BOUND if name in given},
            "stream": stream,
        }
        if not any(message.attachments for message in prompt.messages):
            # for objects that are neither a chat model nor a graph with messages
            body["text"] = prompt.text
        if endpoint.model != self._factory:
            body["model"] = endpoint.model
        return HttpRequest(
            method=METHOD,
            url=f"runnable://{quote(self._factory, safe=':.')}",
            headers={"content-type": "application/json"},
            body=common.encode(body),
            framing="ndjson",
            notices=tuple(_notices(options, endpoint)),
        )

    def reader(self) -> ForeignReader:
        """Return a reader for one answer."""
        return ForeignReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for an HTTP status; not used, because objects raise exceptions."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return None."""
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return None: an object has no list of models."""
        return None

    def models(self, document: object) -> list[str]:
        """Return no names."""
        return []


def spoken(prompt: Prompt) -> Json:
    """Return an object's input: the text of a single user message, otherwise messages as dictionaries."""
    if len(prompt.messages) == 1:
        only = prompt.messages[0]
        if only.role == "user" and not only.attachments:
            return only.content
    return list(chat_messages(prompt))


def _notices(options: Options, endpoint: Endpoint) -> Iterator[str]:
    if options.schema is not None:
        yield "runnable doesn't accept a schema: left out"
    for name in ("headers", "extra_body"):
        if getattr(endpoint, name):
            yield f"runnable doesn't accept {name}: left out (set it under `options` in the configuration)"


class ForeignReader:
    """Reads the lines made from an object's chunks.

    If the object ends without a finish reason, the answer is complete and its finish reason ``unknown``.
    """

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._usage: dict[str, int] = {}

    def read(self, message: WireMessage) -> list[Event]:
        """Return the events of one chunk."""
        document = parse_object(message.data)
        events: list[Event] = []
        if "step" in document:
            events.append(Step(parse_object(text_at(document, "step"))))
        if "reasoning" in document:
            events.append(ReasoningDelta(text_at(document, "reasoning")))
        if "text" in document:
            events.append(TextDelta(text_at(document, "text")))
        events.extend(map(_tool_call, objects_at(document, "tool_calls")))
        counts = extras_at(document, "usage")
        if counts:
            events.append(self._counted(counts))
        raw = reason_at(document, "finish")
        if raw:
            self.finished = True
            events.append(finish(raw))
        if document.get("end"):
            self.done = True
            if not self.finished:
                self.finished = True
                events.append(Finish("unknown"))
        return events

    def _counted(self, counts: Document) -> Usage:
        """Add up counts, because each chunk only has its own."""
        for name in COUNTS:
            count = count_at(counts, name)
            if count is not None:
                self._usage[name] = min(self._usage.get(name, 0) + count, LARGEST_COUNT)
        return Usage(**self._usage)


def _tool_call(call: Document) -> ToolCallDelta:
    arguments = arguments_text(call.get("arguments"))
    return ToolCallDelta(index_at(call, "index") or 0, name_at(call, "id"), name_at(call, "name"), arguments)
