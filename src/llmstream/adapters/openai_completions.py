"""OpenAI's legacy completions API: the model continues a text.

Supported by OpenAI (gpt-3.5-turbo-instruct, davinci-002), vLLM, llama.cpp, LM Studio and others.
Source: OpenAI API reference, "Completions (legacy)", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.content import text_of, thinking_in
from llmstream.adapters.finish_reasons import finish
from llmstream.adapters.json_values import objects_at, reason_at
from llmstream.adapters.opening import CHAT, check, ends, opened, other_dialect, reported
from llmstream.adapters.quirks import Quirk
from llmstream.adapters.sampling import fields, left_out
from llmstream.errors import ProviderError
from llmstream.events import Event, ReasoningDelta, TextDelta
from llmstream.prompt import Endpoint, Json, Options, Prompt
from llmstream.wire.document import Document
from llmstream.wire.message import WireMessage

FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "max_tokens": "max_tokens", "top_p": "top_p", "stop": "stop",
    "seed": "seed", "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip
BESIDE: Final = frozenset({"usage", "error"})


class OpenAICompletions:
    """The ``/completions`` dialect."""

    name = "openai-completions"
    kind = "llm"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request; messages are joined, because the API has no roles."""
        body: dict[str, Json] = {"model": endpoint.model, "prompt": prompt.text, "stream": stream}
        if stream and Quirk.NO_STREAM_OPTIONS not in endpoint.quirks:
            body["stream_options"] = {"include_usage": True}
        body.update(fields(options, FIELDS))
        added = tuple(name for name in ("stream_options",) if name in body and name not in options.extra)
        body.update(options.extra)
        notices = tuple(left_out(self.name, options, FIELDS))
        if any(message.attachments for message in prompt.messages):
            notices += (f"{self.name} doesn't accept attachments: left out",)
        return common.post(endpoint, "/completions", body, stream=stream, notices=notices, added=added)

    def reader(self) -> CompletionsReader:
        """Return a reader for one answer."""
        return CompletionsReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for a refused request's response."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return the request without an added field that the error rejects, None if it rejects none."""
        return common.dropped(request, error)

    models_url = staticmethod(common.models_url)
    models = staticmethod(common.models)


class CompletionsReader:
    """Reads one answer; each choice yields one delta, even an empty one.

    The chunk with the finish reason may contain text; usage, if requested, is in a chunk with empty
    ``choices``.
    """

    def __init__(self) -> None:
        self.done = False
        self.finished = False

    def read(self, message: WireMessage) -> Iterable[Event]:
        """Return the events of one message; choices other than 0 are ignored."""
        if ends(message.data):
            self.done = True
            return ()
        document = opened(message)
        choices = document.get("choices")
        if type(choices) is list and len(choices) == 1 and type(choices[0]) is dict:
            # fast path for nearly all messages: only a piece of text
            choice = choices[0]
            if (
                type(text := choice.get("text")) is str
                and text
                and not (choice.get("finish_reason") or choice.get("index") or choice.get("error"))
                and common.has_none(document, BESIDE)
                and message.event not in ("error", "whole")
            ):
                return (TextDelta(text),)
        return self._events(message, document)

    def _events(self, message: WireMessage, document: Document) -> Iterator[Event]:
        choices = objects_at(document, "choices")
        if not choices or document.get("error") is not None or message.event == "error":
            check(message, document, "choices", "usage")
        for choice in choices:
            if common.is_first(choice):
                yield from self._choice(choice)
        usage = common.usage_in(document, choices)
        if usage:
            yield common.usage_of(usage)
        if message.event == "whole":
            self.done = True

    def _choice(self, choice: Document) -> Iterator[Event]:
        if "text" not in choice and choice.keys() & CHAT:
            raise other_dialect("openai-chat")
        thinking = thinking_in(choice)
        if thinking:
            yield ReasoningDelta(thinking)
        yield TextDelta(text_of(choice.get("text")))
        raw = reason_at(choice, "finish_reason")
        if choice.get("error"):
            raise reported(choice["error"])
        if raw:
            self.finished = True
            yield finish(raw)
