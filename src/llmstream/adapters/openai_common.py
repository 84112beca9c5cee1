"""Shared by the adapters for OpenAI's APIs and compatible ones: requests, retries, usage, model lists."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from llmstream.adapters.base import HttpRequest
from llmstream.adapters.json_values import cost_at, count_at, extras_at, object_at, objects_at
from llmstream.errors import ProviderError, RequestRefused
from llmstream.events import Usage
from llmstream.prompt import Endpoint, Json
from llmstream.record import replace
from llmstream.wire.document import Document

TICKS: Final = 10_000_000_000
"""xAI's ticks in a dollar."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def post(
    endpoint: Endpoint,
    path: str,
    body: dict[str, Json],
    *,
    stream: bool,
    notices: tuple[str, ...] = (),
    added: tuple[str, ...] = (),
) -> HttpRequest:
    """Return a POST of a JSON body with the key as a bearer token.

    Args:
        endpoint: the base URL, key and headers.
        path: appended to the base URL.
        body: the fields, overridden by the endpoint's `extra_body`.
        stream: whether to request server-sent events.
        notices: messages for the user, such as options that can't be sent.
        added: fields of the body that the user did not request.
    """
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
        added=tuple(name for name in added if name in body and name not in endpoint.extra_body),
    )


def encode(body: Mapping[str, Json]) -> bytes:
    """Return a body as JSON in UTF-8; lone surrogates, from a badly encoded command line, become U+FFFD."""
    text = _encode(body)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def usage_of(counts: Document) -> Usage:
    """Return a ``usage`` object as an event, without invalid counts.

    Gateways use the names of chat completions and of the responses API in either API.

    Sources: OpenAI API reference, "CompletionUsage" and "ResponseUsage"; xAI, "Cost Tracking".  OpenRouter
    adds ``cost`` in dollars, Perplexity in an object; DeepSeek counts cached tokens in
    ``prompt_cache_hit_tokens``, Moonshot in ``cached_tokens``.
    """
    given = extras_at(counts, "completion_tokens_details") or extras_at(counts, "output_tokens_details")
    taken = extras_at(counts, "prompt_tokens_details") or extras_at(counts, "input_tokens_details")
    return Usage(
        input_tokens=_first_count(counts, "prompt_tokens", "input_tokens"),
        output_tokens=_first_count(counts, "completion_tokens", "output_tokens"),
        total_tokens=count_at(counts, "total_tokens"),
        reasoning_tokens=count_at(given, "reasoning_tokens"),
        cached_tokens=_first_count({**counts, **taken}, "cached_tokens", "prompt_cache_hit_tokens"),
        cost=_cost(counts),
    )


def _cost(counts: Document) -> float | None:
    """Return the price in dollars, None if there is none."""
    price = cost_at(counts, "cost")
    price = cost_at(extras_at(counts, "cost"), "total_cost") if price is None else price
    ticks = cost_at(counts, "cost_in_usd_ticks")
    return ticks / TICKS if price is None and ticks is not None else price


def _first_count(counts: Document, *names: str) -> int | None:
    return next((count for name in names if (count := count_at(counts, name)) is not None), None)


def usage_in(document: Document, choices: list[Document]) -> Document:
    """Return the ``usage`` object of a message, which Groq and Moonshot put elsewhere; {} for none."""
    places = (document, document.get("x_groq"), *choices)
    return next((counts for place in places if (counts := extras_at(place, "usage"))), {})


def has_only(document: Document, names: frozenset[str]) -> bool:
    """Return whether all fields but these are null or empty; OpenAI and others send such in each chunk."""
    return document.keys() <= names or not any(map(document.get, document.keys() - names))


def has_none(document: Document, names: frozenset[str]) -> bool:
    """Return whether these fields are missing, null or empty."""
    return document.keys().isdisjoint(names) or not any(map(document.get, names))


def is_first(choice: Document) -> bool:
    """Return whether a choice is the answer, and not one of the alternatives to it."""
    return choice.get("index") in (None, 0, "0", "")


def calls_in(delta: Document) -> list[Document]:
    """Return the tool calls of a delta, which some servers send as one object, or in an older form."""
    calls = objects_at(delta, "tool_calls")
    if len(calls) == 1 and calls[0] and all(isinstance(call, dict) for call in calls[0].values()):
        # an object of calls by index, or a call whose only field is its function
        calls = calls if "function" in calls[0] else list(calls[0].values())
    older = object_at(delta, "function_call")
    return calls or ([{"index": 0, "function": older}] if older else [])


def names_field(error: ProviderError, name: str) -> bool:
    """Return whether an error rejects the field `name` of the request."""
    refused = error.status in (400, 422) or (error.status is None and isinstance(error, RequestRefused))
    return refused and re.search(rf"(?<![A-Za-z0-9]){name}", error.message) is not None


def dropped(request: HttpRequest, error: ProviderError) -> HttpRequest | None:
    """Return the request without an added field that the error rejects, None if it rejects none of them."""
    for name in request.added:
        if names_field(error, name):
            body = {k: v for k, v in json.loads(request.body).items() if k != name}
            notice = f"the server refuses {name}, which llmstream adds by default: retrying without it"
            return replace(
                request,
                body=encode(body),
                notices=(*request.notices, notice),
                added=tuple(other for other in request.added if other != name),
            )
    return None


def renamed(request: HttpRequest, old: str, new: str) -> HttpRequest:
    """Return the request with one field of its body renamed."""
    body = {new if k == old else k: v for k, v in json.loads(request.body).items()}
    return replace(request, body=encode(body))


def models_url(endpoint: Endpoint) -> str | None:
    """Return the URL of the model list."""
    return endpoint.base_url + "/models"


def models(document: object) -> list[str]:
    """Return the ids in a model list; Together sends the list alone, others under ``models``, or names."""
    if isinstance(document, dict):
        document = document.get("data") or document.get("models")
    found = [_id_of(entry) for entry in document] if isinstance(document, list) else []
    return [name for name in found if isinstance(name, str)]


def _id_of(entry: object) -> object:
    if not isinstance(entry, dict):
        return entry
    return next((entry[key] for key in ("id", "name", "model") if isinstance(entry.get(key), str)), None)
