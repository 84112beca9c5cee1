"""Anthropic's messages API, also supported by Vertex, some proxies and llama.cpp.

Sources: Anthropic API reference, "Create a Message"; guides "Streaming messages", "Streaming
refusals" and "Errors", read 2026-11; recorded answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from llmstream.adapters import anthropic_request, http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.anthropic_reader import AnthropicReader
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.json_values import laid_over, names_at
from llmstream.errors import ProviderError
from llmstream.prompt import Endpoint, Json, Options, Prompt
from llmstream.record import replace

VERSION: Final = "2023-06-01"
ALWAYS_THINKS: Final = "this model always thinks; reasoning_effort = none was not sent"


class Anthropic:
    """The ``/v1/messages`` dialect."""

    name = "anthropic"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request."""
        body: dict[str, Json] = {
            "model": endpoint.model, **anthropic_request.body(prompt, options), "stream": stream,
        }  # fmt: skip
        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream" if stream else "application/json",
            "anthropic-version": VERSION,
        }
        if endpoint.api_key is not None:
            headers["x-api-key"] = endpoint.api_key.reveal()
        return HttpRequest(
            method="POST",
            url=_versioned(endpoint) + "/messages",
            headers={**headers, **endpoint.headers},
            body=common.encode(laid_over(body, endpoint.extra_body)),
            framing="sse" if stream else "whole",
            notices=tuple(anthropic_request.notices(prompt, options)),
        )

    def reader(self) -> AnthropicReader:
        """Return a reader for one answer."""
        return AnthropicReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for a refused request's response."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return the request with thinking requested as older models expect it, or without it."""
        if error.status != 400:
            return None
        body = anthropic_request.with_other_thinking(json.loads(request.body), error.message)
        if body is None:
            return None
        notices = request.notices if "thinking" in body else (*request.notices, ALWAYS_THINKS)
        return replace(request, body=common.encode(body), notices=notices)

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the URL of the model list, at most 1000 models."""
        return _versioned(endpoint) + "/models?limit=1000"

    def models(self, document: object) -> list[str]:
        """Return the ids in a model list."""
        return names_at(document, "data", "id")


def _versioned(endpoint: Endpoint) -> str:
    """Return the base URL with ``/v1``, which some users already include."""
    return endpoint.base_url.removesuffix("/v1") + "/v1"
