"""Ollama's own API, ``/api/chat``: lines of JSON, options in an object of their own.

Sources: Ollama, docs/api.md, "Generate a chat completion", "Generate a completion" and "List Local
Models"; docs/api/errors.mdx, "Errors that occur while streaming"; docs/modelfile.md, "Valid
Parameters and Values"; docs/capabilities/thinking.mdx, read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.json_values import (
    arguments_object,
    arguments_text,
    count_at,
    laid_over,
    names_at,
    text_at,
)
from llmstream.adapters.openai_messages import base64_of
from llmstream.errors import BadMessage, ProviderError, Unavailable
from llmstream.events import Event, Finish, FinishReason, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Attachment, Endpoint, Json, Message, Options, Prompt, ToolCall
from llmstream.record import replace
from llmstream.wire.document import Document, parse_object
from llmstream.wire.message import WireMessage

FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "max_tokens": "num_predict", "top_p": "top_p", "top_k": "top_k",
    "stop": "stop", "seed": "seed", "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}  # fmt: skip
"""Our options -> names inside of ``options``."""

TOP_LEVEL: Final = frozenset(
    {"options", "format", "keep_alive", "think", "truncate", "shift", "logprobs", "top_logprobs"}
)
"""Fields beside ``options``; whatever else the user gives is an option of the model's runner."""

THINK: Final[Mapping[str, Json]] = {"none": False, "minimal": "low"}
"""``reasoning_effort`` -> ``think``; low, medium and high are called the same."""

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop", "length": "length", "load": "stop", "unload": "stop",
}  # fmt: skip


class Ollama:
    """The ``/api/chat`` dialect."""

    name = "ollama"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request."""
        messages: list[Json] = [_message(message) for message in prompt.messages]
        body: dict[str, Json] = {"model": endpoint.model, "messages": messages, "stream": stream}
        given = options.given()
        body["options"] = {FIELDS[name]: value for name, value in given.items() if name in FIELDS}
        if options.reasoning_effort is not None:
            body["think"] = THINK.get(options.reasoning_effort, options.reasoning_effort)
        if options.schema is not None:
            body["format"] = dict(options.schema)
        if options.tools and options.tool_choice != "none":
            body["tools"] = [dict(tool) for tool in options.tools]
        body = laid_over(body, {k: v for k, v in options.extra.items() if k in TOP_LEVEL})
        body = laid_over(body, {"options": {k: v for k, v in options.extra.items() if k not in TOP_LEVEL}})
        headers = {"accept": "application/x-ndjson" if stream else "application/json", **endpoint.headers}
        sent = replace(endpoint, headers=headers, extra_body=laid_over(body, endpoint.extra_body))
        request = common.post(sent, "/api/chat", body, stream=False, notices=tuple(_notices(prompt, options)))
        return replace(request, framing="ndjson") if stream else request

    def reader(self) -> OllamaReader:
        """Return a reader for one answer."""
        return OllamaReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return what a refused request's answer says."""
        error = http_errors.refusal(status, headers, body)
        if status == 404 and "model" in error.message:
            error.hint = "`ollama pull MODEL` fetches a model, `ollama list` shows those that are there"
        return error

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return None: the API ignores fields that it doesn't know."""
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the address of the list of the models that have been pulled."""
        return endpoint.base_url + "/api/tags"

    def models(self, document: object) -> list[str]:
        """Return the models' names, with their tags."""
        return names_at(document, "models", "name")


def _message(message: Message) -> Json:
    entry: dict[str, Json] = {"role": message.role, "content": message.content}
    images: list[Json] = [base64_of(a) for a in message.attachments if _sendable(a)]
    if images:
        entry["images"] = images
    if message.tool_calls:
        entry["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.name is not None and message.role == "tool":
        entry["tool_name"] = message.name
    if message.tool_call_id is not None:
        entry["tool_call_id"] = message.tool_call_id
    return entry


def _call(call: ToolCall) -> Json:
    function: Json = {"name": call.name, "arguments": arguments_object(call)}
    return {"id": call.id, "function": function} if call.id else {"function": function}


def _sendable(attachment: Attachment) -> bool:
    return attachment.data is not None and attachment.media_type.startswith("image/")


def _notices(prompt: Prompt, options: Options) -> Iterator[str]:
    for attachment in (a for message in prompt.messages for a in message.attachments if not _sendable(a)):
        what = "no images by address" if attachment.media_type.startswith("image/") else "images only"
        yield f"ollama takes {what}: {attachment.name or attachment.media_type} is left out"
    if options.tool_choice not in (None, "auto", "none"):
        yield "ollama takes no option 'tool_choice': left out"


class OllamaReader:
    """Reads one answer of ``/api/chat`` or ``/api/generate``, streamed or whole."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls = 0

    def read(self, message: WireMessage) -> list[Event]:
        """Return the events of one line."""
        document = parse_object(message.data)
        if "error" in document:
            raise _failure(document)
        ended = document.get("done") is True
        events: list[Event] = []
        if "message" in document:
            self._answer(document["message"], "content", events)
        elif "response" in document:
            self._answer(document, "response", events)
        elif "done" not in document:
            # with it, and without text, it is news of another kind: that a model is being loaded
            raise BadMessage("a line of the answer has neither a message nor an error")
        if ended:
            self._end(document, events)
        return events

    def _answer(self, answer: Document, key: str, events: list[Event]) -> None:
        # lines of pure thinking may have no content, others an empty one
        thinking = text_at(answer, "thinking")
        if thinking:
            events.append(ReasoningDelta(thinking))
        text = text_at(answer, key)
        if text:
            events.append(TextDelta(text))
        for call in answer.get("tool_calls") or ():
            function = call["function"]
            # each call comes whole; `index` is there for some only, and then for all but the first
            arguments = arguments_text(function.get("arguments") or {})
            events.append(ToolCallDelta(self._calls, call.get("id") or None, function["name"], arguments))
            self._calls += 1

    def _end(self, document: Document, events: list[Event]) -> None:
        self.done = self.finished = True
        raw = text_at(document, "done_reason") or None
        reason = FINISH_REASONS.get(raw or "", "unknown")
        # it says `stop` also where the model waits for its calls' results
        events.append(Finish("tool_calls" if self._calls and reason == "stop" else reason, raw))
        # a prompt that is still in the cache has no prompt_eval_count
        counts = count_at(document, "prompt_eval_count"), count_at(document, "eval_count")
        if counts != (None, None):
            events.append(Usage(*counts))


def _failure(document: Document) -> ProviderError:
    said = http_errors.message_in(document) or "an error without a message"
    status = document.get("status", document.get("status_code"))
    if isinstance(status, int):
        return http_errors.in_stream(said, status=status)
    if http_errors.TOO_LONG.search(said):
        return http_errors.in_stream(said)
    # what was wrong with the request has been said by the status; this is the model's runner failing
    return Unavailable(said)
