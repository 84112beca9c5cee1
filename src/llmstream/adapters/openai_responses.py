"""OpenAI's responses API, also supported by OpenRouter, xAI, Perplexity and local servers.

Sources: OpenAI API reference, "Create a model response" and "Responses: streaming events"; the
Open Responses specification; LM Studio's reference, read 2026-11; recorded answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from llmstream.adapters import http_errors, openai_responses_request
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.openai_responses_reader import ResponsesReader
from llmstream.errors import ProviderError
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.record import replace


class OpenAIResponses:
    """The ``/responses`` dialect."""

    name = "openai-responses"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request."""
        body = {"model": endpoint.model, **openai_responses_request.body(prompt, options), "stream": stream}
        notices = tuple(openai_responses_request.notices(prompt, options))
        added = () if "store" in options.extra else ("store",)
        return common.post(endpoint, "/responses", body, stream=stream, notices=notices, added=added)

    def reader(self) -> ResponsesReader:
        """Return a reader for one answer."""
        return ResponsesReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for a refused request's response."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return the request without ``store`` or without the reasoning summary, if the error rejects it.

        OpenAI provides summaries to verified organisations only: "Your organization must be verified to
        generate reasoning summaries" (``reasoning.summary``, status 400).
        """
        body = json.loads(request.body)
        reasoning = body.get("reasoning")
        if common.names_field(error, "summar") and isinstance(reasoning, dict) and "summary" in reasoning:
            del reasoning["summary"]
            return replace(request, body=common.encode(body))
        return common.dropped(request, error)

    models_url = staticmethod(common.models_url)
    models = staticmethod(common.models)
