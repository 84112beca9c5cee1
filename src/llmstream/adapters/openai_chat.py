"""OpenAI's chat completions API, which most providers and local servers speak too.

Sources: OpenAI API reference, "Chat completions" and "Streaming events"; the providers' own
references for what they add (reasoning, usage, errors), read 2026-11; recorded answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.openai_messages import chat_messages, notices
from llmstream.errors import BadMessage, ProviderError
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta
from llmstream.prompt import Endpoint, Json, Options, Prompt
from llmstream.wire.document import Document, parse_object
from llmstream.wire.message import WireMessage

FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "max_tokens": "max_tokens", "top_p": "top_p", "top_k": "top_k",
    "stop": "stop", "seed": "seed", "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty", "reasoning_effort": "reasoning_effort", "tools": "tools",
}  # fmt: skip


class OpenAIChat:
    """The ``/chat/completions`` dialect."""

    name = "openai-chat"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request."""
        body: dict[str, Json] = {
            "model": endpoint.model, "messages": list(chat_messages(prompt)), "stream": stream,
        }  # fmt: skip
        if stream and "no-stream-options" not in endpoint.quirks:
            body["stream_options"] = {"include_usage": True}
        body.update({FIELDS[name]: value for name, value in options.given().items() if name in FIELDS})
        if options.tool_choice is not None:
            body["tool_choice"] = _tool_choice(options.tool_choice)
        if options.schema is not None:
            schema: Json = {"name": "answer", "schema": dict(options.schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        body.update(options.extra)
        left_out = tuple(notices(prompt))
        return common.post(endpoint, "/chat/completions", body, stream=stream, notices=left_out)

    def reader(self) -> ChatReader:
        """Return a reader for one answer."""
        return ChatReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return what a refused request's answer says."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return the request without ``stream_options``, or with the newer name of ``max_tokens``.

        Source: OpenAI, "Reasoning models": they refuse ``max_tokens`` for ``max_completion_tokens``.
        """
        if common.names_field(error, "stream_options"):
            return common.without(request, "stream_options")
        if common.names_field(error, "max_completion_tokens") and b'"max_tokens"' in request.body:
            return common.renamed(request, "max_tokens", "max_completion_tokens")
        return None

    models_url = staticmethod(common.models_url)
    models = staticmethod(common.models)


def _tool_choice(choice: str) -> Json:
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}


class ChatReader:
    """Reads one answer, streamed or whole; choices other than 0 are no part of it."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls: dict[str, int] = {}
        self._last_call = 0

    def read(self, message: WireMessage) -> list[Event]:
        """Return the events of one message."""
        data = message.data
        if data.strip() == "[DONE]":
            self.done = True
            return []
        document = parse_object(data)
        common.check(message, document)
        events: list[Event] = []
        for choice in document.get("choices") or ():
            if not choice.get("index"):
                # Perplexity repeats the whole message beside each delta: never both
                delta = choice["delta"] if "delta" in choice else choice.get("message")
                if delta:
                    self._delta(delta, events)
                self._finish(choice, events)
        usage = document.get("usage") or (document.get("x_groq") or {}).get("usage")
        if usage:
            events.append(common.usage_of(usage))
        if message.event == "whole":
            self.done = True
        return events

    def _delta(self, delta: Document, events: list[Event]) -> None:
        content = delta.get("content")
        if len(delta) > 1 or content is None:
            self._beside_text(delta, events)
        if type(content) is str:
            if content:
                events.append(TextDelta(content))
        elif content is not None:
            events.extend(_parts(content))

    def _beside_text(self, delta: Document, events: list[Event]) -> None:
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if not reasoning and delta.get("reasoning_details"):
            # Snowflake's only form; elsewhere it repeats `reasoning`
            reasoning = "".join(part.get("text") or "" for part in delta["reasoning_details"])
        if reasoning:
            events.append(ReasoningDelta(_text(reasoning)))
        refusal = delta.get("refusal")
        if refusal:
            events.append(TextDelta(_text(refusal)))
        for call in delta.get("tool_calls") or ():
            events.append(self._tool_call(call))
        call = delta.get("function_call")
        if call:
            events.append(self._tool_call({"index": 0, "function": call}))

    def _tool_call(self, call: Document) -> Event:
        """Return one piece; Mistral gives no index, Alibaba empty ids and names in continuations."""
        function = call.get("function") or {}
        index, id_ = call.get("index"), call.get("id") or None
        if index is None:
            index = self._calls.setdefault(id_, len(self._calls)) if id_ else self._last_call
        self._last_call = index
        arguments = function.get("arguments") or ""
        if type(arguments) is not str:
            arguments = json.dumps(arguments, ensure_ascii=False)
        return ToolCallDelta(int(index), id_, function.get("name") or None, arguments)

    def _finish(self, choice: Document, events: list[Event]) -> None:
        reason = choice.get("finish_reason")
        if not reason:
            return
        if choice.get("error"):
            raise common.reported(choice["error"])
        self.finished = True
        events.append(Finish(common.FINISH_REASONS.get(reason, "unknown"), reason))


def _text(value: object) -> str:
    if type(value) is not str:
        raise BadMessage("a delta's text is no text")
    return value


def _parts(content: object) -> Iterator[Event]:
    """Yield the events of Mistral's list content: ``{type: text|thinking}``."""
    if not isinstance(content, list):
        raise BadMessage("a delta's content is neither text nor a list of parts")
    for part in content:
        if part.get("type") == "thinking":
            thinking = part["thinking"]
            pieces = [thinking] if type(thinking) is str else [piece.get("text", "") for piece in thinking]
            yield ReasoningDelta("".join(pieces))
        elif part.get("text"):
            yield TextDelta(_text(part["text"]))
