"""The JSON in a recording that describes a request, and the head of its response.

`request` is the request as sent, without its secrets; `call` has what a replay also needs to yield the same
events: messages, options, limits, `stream`, the base URL, and the key's origin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from llmstream.adapters import command, foreign
from llmstream.adapters.base import HttpRequest
from llmstream.engine.effects import Call, Head
from llmstream.prompt import Json, Message
from llmstream.record import names
from llmstream.transport.tape.redaction import Redactor, request_headers, response_headers

VERSION: Final = 1
HEADLESS: Final = (command.METHOD, foreign.METHOD)
"""Methods of requests to processes and objects, whose answers have neither status nor headers."""
DECODED: Final = ("content-encoding", "content-length", "transfer-encoding")
"""Headers that describe the body as transferred, whereas it is recorded decompressed."""
LEFT_OUT: Final = ("tools", "schema")
"""Options that are not repeated, because they may be long and the request's body contains them."""


def request_line(request: HttpRequest, redactor: Redactor) -> dict[str, Json]:
    """Return a request without its secrets; its body is an object if it is a JSON object, else text."""
    return {
        "method": request.method,
        "url": redactor.text(_without_user(request.url)),
        "headers": request_headers(request.headers, redactor),
        "body": redactor.value(_body(request.body)),
        "framing": request.framing,
        "notices": list(request.notices),
    }


def head_line(head: Head, redactor: Redactor) -> dict[str, Json]:
    """Return status and headers without secrets, and without `DECODED` if the body was compressed."""
    headers = response_headers(head.headers, redactor)
    if headers.get("content-encoding"):
        headers = {name: value for name, value in headers.items() if name not in DECODED}
    return {"status": head.status, "headers": dict(headers)}


def call_line(call: Call, redactor: Redactor) -> dict[str, Json]:
    """Return what a replay of a call needs in addition to its request."""
    key = call.endpoint.api_key
    described: dict[str, Json] = {
        "messages": [_message(message) for message in call.prompt.messages],
        "options": {k: v for k, v in call.options.given().items() if k not in LEFT_OUT},
        "limits": {name: getattr(call.policy, name) for name in names(call.policy)},
        "stream": call.stream,
        "base_url": _without_user(call.endpoint.base_url),
    }
    found = redactor.value(described)
    assert isinstance(found, dict)
    return {**found, "key": key.origin if key else None}


def _without_user(url: str) -> str:
    """Return a URL with ``[base_url]`` in place of its user and password."""
    try:
        parts = urlsplit(url)
        before, at, host = parts.netloc.rpartition("@")
    except ValueError:
        return url
    return urlunsplit(parts._replace(netloc=f"[base_url]@{host}")) if at and before else url


def _body(body: bytes) -> Json:
    text = body.decode("utf-8", "replace")
    try:
        parsed: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return parsed if isinstance(parsed, dict) else text


def _message(message: Message) -> dict[str, Json]:
    """Return a message without the bytes of its attachments, which the request's body contains."""
    data: dict[str, Json] = {"role": message.role, "content": message.content}
    if message.attachments:
        data["attachments"] = [
            {"media_type": one.media_type, "name": one.name, "url": one.url} for one in message.attachments
        ]
    if message.tool_calls:
        data["tool_calls"] = [{name: getattr(one, name) for name in names(one)} for one in message.tool_calls]
    for name in ("tool_call_id", "name"):
        if (value := getattr(message, name)) is not None:
            data[name] = value
    return data


def headless(request: HttpRequest | Mapping[str, object]) -> bool:
    """Return whether a request goes to a process or an object, whose answer has no head."""
    method = request.method if isinstance(request, HttpRequest) else request.get("method")
    return method in HEADLESS
