"""OpenAI's legacy completions API: a text goes in, its continuation comes out.

Spoken by OpenAI (gpt-3.5-turbo-instruct, davinci-002), vLLM, llama.cpp, LM Studio and others.
Source: OpenAI API reference, "Completions (legacy)", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.errors import BadMessage, ProviderError
from llmstream.events import Event, Finish, TextDelta
from llmstream.prompt import Endpoint, Json, Options, Prompt
from llmstream.wire.document import parse_object
from llmstream.wire.message import WireMessage

FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "max_tokens": "max_tokens", "top_p": "top_p", "stop": "stop",
    "seed": "seed", "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip


class OpenAICompletions:
    """The ``/completions`` dialect."""

    name = "openai-completions"
    kind = "llm"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request; messages are joined, as the model knows no roles."""
        body: dict[str, Json] = {"model": endpoint.model, "prompt": prompt.text, "stream": stream}
        if stream and "no-stream-options" not in endpoint.quirks:
            body["stream_options"] = {"include_usage": True}
        given = options.given()
        body.update({FIELDS[name]: value for name, value in given.items() if name in FIELDS})
        body.update(options.extra)
        notices = tuple(
            f"{self.name} takes no option {name!r}: left out" for name in given if name not in FIELDS
        )
        if any(message.attachments for message in prompt.messages):
            notices += (f"{self.name} takes no attachments: left out",)
        return common.post(endpoint, "/completions", body, stream=stream, notices=notices)

    def reader(self) -> CompletionsReader:
        """Return a reader for one answer."""
        return CompletionsReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return what a refused request's answer says."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return the request without ``stream_options`` where these are refused."""
        return (
            common.without(request, "stream_options") if common.names_field(error, "stream_options") else None
        )

    models_url = staticmethod(common.models_url)
    models = staticmethod(common.models)


class CompletionsReader:
    """Reads one answer; each message with a choice gives one delta, also an empty one.

    The chunk with the finish reason may still carry text; usage, where asked for, comes in a
    chunk with empty ``choices``.
    """

    def __init__(self) -> None:
        self.done = False
        self.finished = False

    def read(self, message: WireMessage) -> list[Event]:
        """Return the events of one message; choices other than 0 are no part of the text."""
        data = message.data
        if data.strip() == "[DONE]":
            self.done = True
            return []
        document = parse_object(data)
        if "error" in document or "choices" not in document:
            common.check(message, document)
        events: list[Event] = []
        for choice in document.get("choices") or ():
            if choice.get("index"):
                continue
            text = choice.get("text", "")
            if type(text) is not str:
                raise BadMessage("a choice's text is no text")
            events.append(TextDelta(text))
            reason = choice.get("finish_reason")
            if reason:
                self.finished = True
                events.append(Finish(common.FINISH_REASONS.get(reason, "unknown"), reason))
        if document.get("usage"):
            events.append(common.usage_of(document["usage"]))
        if message.event == "whole":
            self.done = True
        return events
