"""What OpenAI's APIs and their many imitations have in common: address, key, errors, usage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters.base import HttpRequest
from llmstream.errors import ProviderError
from llmstream.events import FinishReason, Usage
from llmstream.prompt import Endpoint, Json
from llmstream.wire.document import Document
from llmstream.wire.message import WireMessage

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop", "eos": "stop", "end_turn": "stop", "complete": "stop", "stop_sequence": "stop",
    "length": "length", "max_tokens": "length", "model_length": "length",
    "tool_calls": "tool_calls", "function_call": "tool_calls", "tool_use": "tool_calls",
    "content_filter": "content_filter", "safety": "content_filter", "sensitive": "content_filter",
    "error": "error", "network_error": "error", "insufficient_system_resource": "error",
}  # fmt: skip
"""Sources: OpenAI, "The chat completion object"; Together (eos), Mistral (model_length), Z.ai
(sensitive, network_error), DeepSeek (insufficient_system_resource): chat completion references."""


def post(
    endpoint: Endpoint,
    path: str,
    body: dict[str, Json],
    *,
    stream: bool,
    notices: tuple[str, ...] = (),
) -> HttpRequest:
    """Return a POST of a JSON body with the key as a bearer token."""
    merged = {**body, **endpoint.extra_body}
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream" if stream else "application/json",
    }
    if endpoint.api_key is not None:
        headers["authorization"] = f"Bearer {endpoint.api_key.reveal()}"
    return HttpRequest(
        method="POST",
        url=endpoint.base_url + path,
        headers={**headers, **endpoint.headers},
        body=encode(merged),
        framing="sse" if stream else "whole",
        notices=notices,
    )


def encode(body: Mapping[str, Json]) -> bytes:
    """Return a body's bytes; half characters from a badly encoded command line become U+FFFD."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def usage_of(counts: Document) -> Usage:
    """Return OpenAI's ``usage`` object as an event.

    Source: OpenAI API reference, "CompletionUsage"; OpenRouter adds ``cost`` in dollars; DeepSeek
    counts cached tokens in ``prompt_cache_hit_tokens``.
    """
    given = counts.get("completion_tokens_details") or {}
    taken = counts.get("prompt_tokens_details") or {}
    cost = counts.get("cost")
    return Usage(
        input_tokens=_count(counts.get("prompt_tokens")),
        output_tokens=_count(counts.get("completion_tokens")),
        total_tokens=_count(counts.get("total_tokens")),
        reasoning_tokens=_count(given.get("reasoning_tokens")),
        cached_tokens=_count(taken.get("cached_tokens", counts.get("prompt_cache_hit_tokens"))),
        cost=float(cost) if isinstance(cost, int | float) else None,
    )


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def reported(error: object, document: Document | None = None) -> ProviderError:
    """Return the failure that a message of a stream reports under ``error``."""
    if isinstance(error, dict):
        code = error.get("code")
        status = code if isinstance(code, int) else error.get("status_code")
        kind = error.get("type") or (code if isinstance(code, str) else "") or ""
        said = http_errors.message_in(error)
        return http_errors.in_stream(said, str(kind), status if isinstance(status, int) else None)
    said = error if isinstance(error, str) else http_errors.message_in(document)
    return http_errors.in_stream(said)


def check(message: WireMessage, document: Document) -> None:
    """Raise the failure that a message reports, in whichever of the known forms."""
    error = document.get("error")
    if error is None and "x_groq" in document:
        error = (document["x_groq"] or {}).get("error")
    if error is not None:
        raise reported(error, document)
    if "choices" in document and message.event != "error":
        return
    flat = message.event == "error" or document.get("object") == "error" or "detail" in document
    if flat or message.event in ("whole", "bare"):
        raise reported(document)


def names_field(error: ProviderError, name: str) -> bool:
    """Return whether a refusal complains of one field of the request."""
    return error.status in (400, 422) and name in error.message


def without(request: HttpRequest, *names: str) -> HttpRequest:
    """Return the request without some fields of its body."""
    body = {k: v for k, v in json.loads(request.body).items() if k not in names}
    return HttpRequest(request.method, request.url, request.headers, encode(body), request.framing)


def renamed(request: HttpRequest, old: str, new: str) -> HttpRequest:
    """Return the request with one field of its body under another name."""
    body = {new if k == old else k: v for k, v in json.loads(request.body).items()}
    return HttpRequest(request.method, request.url, request.headers, encode(body), request.framing)


def models_url(endpoint: Endpoint) -> str | None:
    """Return the address of the model list."""
    return endpoint.base_url + "/models"


def models(document: object) -> list[str]:
    """Return the ids in a model list; Together gives the list without an object around it."""
    entries = document.get("data", []) if isinstance(document, dict) else document
    found = [e.get("id") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return [name for name in found if isinstance(name, str)]
