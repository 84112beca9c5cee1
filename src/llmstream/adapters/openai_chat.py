"""OpenAI's chat completions API, which most providers and local servers speak too.

Sources: OpenAI API reference, "Chat completions" and "Streaming events"; the providers' own
references for what they add (reasoning, usage, errors), read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.content import content_events, thinking_in
from llmstream.adapters.finish_reasons import finish
from llmstream.adapters.json_values import (
    arguments_text,
    index_at,
    name_at,
    object_at,
    objects_at,
    reason_at,
    text_at,
)
from llmstream.adapters.openai_messages import chat_messages, notices, with_thoughts
from llmstream.adapters.opening import check, ends, opened, other_dialect, reported
from llmstream.adapters.quirks import Quirk
from llmstream.adapters.sampling import fields, left_out
from llmstream.adapters.tool_calls import ToolCalls
from llmstream.errors import ProviderError
from llmstream.events import Event, Notice, ReasoningDelta, TextDelta
from llmstream.prompt import Endpoint, Json, Options, Prompt
from llmstream.record import replace
from llmstream.wire.document import Document
from llmstream.wire.message import WireMessage

BESIDE: Final = frozenset({"usage", "x_groq", "error"})
PLAIN: Final = frozenset({"role", "content"})

FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "max_tokens": "max_tokens", "top_p": "top_p", "top_k": "top_k",
    "stop": "stop", "seed": "seed", "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty", "reasoning_effort": "reasoning_effort", "tools": "tools",
}  # fmt: skip
TAKEN: Final = frozenset({*FIELDS, "tool_choice", "schema"})


class OpenAIChat:
    """The ``/chat/completions`` dialect."""

    name = "openai-chat"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request."""
        body: dict[str, Json] = {
            "model": endpoint.model, "messages": list(chat_messages(prompt)), "stream": stream,
        }  # fmt: skip
        if stream and Quirk.NO_STREAM_OPTIONS not in endpoint.quirks:
            body["stream_options"] = {"include_usage": True}
        body.update(fields(options, FIELDS))
        if options.tool_choice is not None:
            body["tool_choice"] = _tool_choice(options.tool_choice)
        if options.schema is not None:
            schema: Json = {"name": "answer", "schema": dict(options.schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        added = tuple(name for name in ("stream_options",) if name in body and name not in options.extra)
        body.update(options.extra)
        told = (*left_out(self.name, options, TAKEN), *notices(prompt))
        request = common.post(endpoint, "/chat/completions", body, stream=stream, notices=told, added=added)
        thoughts = tuple(message.reasoning for message in prompt.messages)
        return replace(request, thoughts=thoughts) if any(thoughts) else request

    def reader(self) -> ChatReader:
        """Return a reader for one answer."""
        return ChatReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for a refused request's response."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return the request without a field that we added, with ``max_tokens`` renamed, or with thinking.

        Source: OpenAI, "Reasoning models": these require ``max_completion_tokens`` instead of ``max_tokens``.
        """
        if (less := common.dropped(request, error)) is not None:
            return less
        if common.names_field(error, "max_completion_tokens") and b'"max_tokens"' in request.body:
            return common.renamed(request, "max_tokens", "max_completion_tokens")
        return with_thoughts(request, error)

    models_url = staticmethod(common.models_url)
    models = staticmethod(common.models)


def _tool_choice(choice: str) -> Json:
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}


class ChatReader:
    """Reads one answer, streamed or whole; choices other than 0 are ignored."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._said = False
        self._calls = ToolCalls()
        self._noted: set[str] = set()

    def read(self, message: WireMessage) -> Iterable[Event]:
        """Return the events of one message."""
        if ends(message.data):
            self.done = True
            return ()
        document = opened(message)
        choices = document.get("choices")
        if type(choices) is list and len(choices) == 1 and type(choices[0]) is dict:
            # fast path for nearly all messages: only a piece of text, or the role
            choice = choices[0]
            delta = choice.get("delta")
            if (
                type(delta) is dict
                and type(content := delta.get("content")) is str
                and (len(delta) == 1 or common.has_only(delta, PLAIN))
                and not (choice.get("finish_reason") or choice.get("index") or choice.get("error"))
                and common.has_none(document, BESIDE)
                and message.event not in ("error", "whole")
            ):
                if not content:
                    return ()
                self._said = True
                return (TextDelta(content),)
        return self._events(message, document)

    def _events(self, message: WireMessage, document: Document) -> Iterator[Event]:
        choices = objects_at(document, "choices")
        if not choices or document.get("error") is not None or message.event == "error":
            check(message, document, "choices", "usage", "x_groq")
        for choice in choices:
            if common.is_first(choice):
                yield from self._choice(choice, whole=message.event == "whole")
        usage = common.usage_in(document, choices)
        if usage:
            yield common.usage_of(usage)
        if message.event == "whole":
            self.done = True

    def _choice(self, choice: Document, *, whole: bool) -> Iterator[Event]:
        # only one of these, because Perplexity repeats the complete message next to each delta; others
        # always send both, one of them null
        delta, answer = choice.get("delta"), choice.get("message")
        if answer and (whole or "delta" not in choice or not (delta or self._said)):
            yield from self._delta(answer, whole=True)
        elif "delta" in choice:
            yield from self._delta(delta, whole=False)
        elif "text" in choice and "message" not in choice:
            raise other_dialect("openai-completions")
        raw = reason_at(choice, "finish_reason")
        if choice.get("error"):
            raise reported(choice["error"])
        if raw:
            self.finished = True
            yield finish(raw)

    def _delta(self, delta: object, *, whole: bool) -> Iterator[Event]:
        if not isinstance(delta, dict):
            # null has no content; a bare string is the content
            yield from content_events(delta)
            return
        self._said = self._said or bool(delta.get("content") or delta.get("tool_calls"))
        plain = delta.keys() <= PLAIN
        if not plain and (thinking := thinking_in(delta)):
            yield ReasoningDelta(thinking)
        yield from content_events(delta.get("content"))
        if not plain:
            refusal = text_at(delta, "refusal")
            if refusal:
                yield TextDelta(refusal)
            yield from self._tool_calls(delta, whole=whole)
            for name in ("audio", "images"):
                if delta.get(name) and name not in self._noted:
                    self._noted.add(name)
                    yield Notice(f"the answer contains {name}: left out")

    def _tool_calls(self, delta: Document, *, whole: bool) -> Iterator[Event]:
        for call in common.calls_in(delta):
            function = object_at(call, "function") or object_at(call, "custom") or call
            yield from self._calls.piece(
                index_at(call, "index"),
                name_at(call, "id"),
                name_at(function, "name"),
                arguments_text(function.get("arguments", function.get("input"))),
                whole=whole,
            )
