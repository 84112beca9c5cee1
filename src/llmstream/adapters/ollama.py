"""Ollama's own API, ``/api/chat``: lines of JSON, with options in a separate object.

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
from llmstream.adapters.json_values import arguments_object, laid_over, names_at
from llmstream.adapters.ollama_reader import OllamaReader
from llmstream.adapters.openai_messages import base64_of
from llmstream.adapters.sampling import fields, left_out
from llmstream.errors import ProviderError
from llmstream.prompt import Attachment, Endpoint, Json, Message, Options, Prompt, ToolCall
from llmstream.record import replace

FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "max_tokens": "num_predict", "top_p": "top_p", "top_k": "top_k",
    "stop": "stop", "seed": "seed", "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}  # fmt: skip
"""Our options -> fields of ``options``."""
TAKEN: Final = frozenset({*FIELDS, "reasoning_effort", "tools", "schema"})

TOP_LEVEL: Final = frozenset(
    {"options", "format", "keep_alive", "think", "truncate", "shift", "logprobs", "top_logprobs"}
)
"""Top-level fields of a request; all other fields from the user go into ``options``."""

THINK: Final[Mapping[str, Json]] = {"none": False, "minimal": "low"}
"""``reasoning_effort`` -> ``think``; other values are sent unchanged."""


class Ollama:
    """The ``/api/chat`` dialect."""

    name = "ollama"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request."""
        messages: list[Json] = [_message(message) for message in prompt.messages]
        body: dict[str, Json] = {"model": endpoint.model, "messages": messages, "stream": stream}
        body["options"] = {**fields(options, FIELDS)}
        if options.reasoning_effort is not None:
            body["think"] = THINK.get(options.reasoning_effort, options.reasoning_effort)
        if options.schema is not None:
            body["format"] = dict(options.schema)
        if options.tools and options.tool_choice != "none":
            body["tools"] = [dict(tool) for tool in options.tools]
        body = laid_over(body, {k: v for k, v in options.extra.items() if k in TOP_LEVEL})
        body = laid_over(body, {"options": {k: v for k, v in options.extra.items() if k not in TOP_LEVEL}})
        headers = {"accept": "application/x-ndjson" if stream else "application/json", **endpoint.headers}
        extra = laid_over(body, endpoint.extra_body)
        sent = replace(endpoint, base_url=_root(endpoint), headers=headers, extra_body=extra)
        request = common.post(sent, "/api/chat", body, stream=False, notices=tuple(_notices(prompt, options)))
        return replace(request, framing="ndjson") if stream else request

    def reader(self) -> OllamaReader:
        """Return a reader for one answer."""
        return OllamaReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for a refused request's response."""
        error = http_errors.refusal(status, headers, body)
        if status == 404 and "model" in error.message:
            error.hint = "to download a model: `ollama pull MODEL`; to list the installed ones: `ollama list`"
        return error

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return None: the API ignores fields that it doesn't know."""
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the URL of the list of installed models."""
        return _root(endpoint) + "/api/tags"

    def models(self, document: object) -> list[str]:
        """Return the models' names, with their tags."""
        return names_at(document, "models", "name")


def _root(endpoint: Endpoint) -> str:
    """Return the base URL without ``/api``, which some users already include."""
    return endpoint.base_url.removesuffix("/api")


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
        what = "no images by URL" if attachment.media_type.startswith("image/") else "only images"
        yield f"ollama accepts {what}: {attachment.name or attachment.media_type} is left out"
    chosen = ("tool_choice",) if options.tool_choice in ("auto", "none") else ()
    yield from left_out("ollama", options, (*TAKEN, *chosen))
