"""What a refused request's answer says, whatever form a provider gives it.

Providers agree on the status codes and on little else: the message may be at ``error.message``,
``error``, ``message``, ``detail`` or inside a list, as JSON under any content type, or in a
proxy's HTML page.  Sources: the error references of OpenAI, Anthropic, Google, Mistral, Cohere
and xAI, and recorded answers.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from llmstream.errors import (
    AuthenticationError,
    ContextTooLong,
    ProviderError,
    RequestRefused,
    Unavailable,
)

MESSAGE_LIMIT: Final = 2000
RETRYABLE: Final = frozenset({408, 409, 425, 429})
OVERLOAD_TYPES: Final = frozenset(
    {
        "overloaded_error", "overloaded", "server_error", "internal_error", "api_error", "timeout_error",
        "rate_limit_error", "rate_limit_exceeded", "unavailable", "resource_exhausted", "internal",
        "internal_server_error", "engine_overloaded", "throttlingexception",
        "serviceunavailableexception", "internalserverexception", "modelstreamerrorexception",
        "modeltimeoutexception", "modelnotreadyexception",
    }
)  # fmt: skip
"""Types and codes of mid-stream errors that pass by themselves, in lower case."""
TOO_LONG: Final = re.compile(
    r"context[ _](length|window|size)|maximum context|too many (input )?tokens|(prompt|input) is too long|"
    r"exceeds? the (available )?context|input (length|token)",
    re.IGNORECASE,
)


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """Return the error for an HTTP status of 300 or more.

    Args:
        status: the HTTP status.
        headers: names in lower case.
        body: its beginning.
    """
    document = parsed(body)
    said = message_in(document) or title_in(body)
    kind = _class_of(status, said)
    if 300 <= status < 400:
        where = headers.get("location", "")
        said = f"it redirects to {where[:200] or 'nowhere (no Location header)'}, which is not followed"
    error = kind(
        f"{status} {_phrase(status)}: {said}" if said else f"{status} {_phrase(status)}", status=status
    )
    error.retryable = retryable(status) and headers.get("x-should-retry", "").lower() != "false"
    error.retry_after = retry_after(headers, document)
    if 300 <= status < 400:
        error.hint = "set base_url to the final address: the key goes nowhere else by itself"
    elif status == 402:
        error.hint = "the account's credit is used up"
    return error


def in_stream(message: str, kind: str = "", status: int | None = None) -> ProviderError:
    """Return the error for a failure that is reported inside an answer.

    Args:
        message: what the provider says.
        kind: its type or code, empty without one.
        status: an HTTP status that the report names, None without one.
    """
    said = message or kind or "an error without a message"
    if kind and kind.lower() not in said.lower():
        said = f"{said} ({kind})"
    said = said[:MESSAGE_LIMIT]
    if status is not None and 400 <= status < 600:
        return _class_of(status, said)(said, status=status, retryable=retryable(status))
    if kind.lower() in OVERLOAD_TYPES:
        return Unavailable(said)
    return ContextTooLong(said) if TOO_LONG.search(said) else RequestRefused(said)


def retryable(status: int) -> bool:
    """Return whether the same request may succeed a little later."""
    return status in RETRYABLE or status >= 500


def _class_of(status: int, said: str) -> type[ProviderError]:
    if status in (401, 403):
        return AuthenticationError
    if status in RETRYABLE or status >= 500:
        return Unavailable
    return ContextTooLong if TOO_LONG.search(said) else RequestRefused


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return {529: "Overloaded", 520: "Web Server Returned an Unknown Error"}.get(status, "error")


def parsed(body: bytes) -> object:
    """Return a body as JSON, None when it is none."""
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def message_in(document: object) -> str:
    """Return the message in an error document of any known form, empty when there is none."""
    if isinstance(document, str):
        return document[:MESSAGE_LIMIT]
    if isinstance(document, list):
        return next(filter(None, map(message_in, document[:8])), "")
    if not isinstance(document, dict):
        return ""
    for key in ("error", "message", "Message", "msg", "detail", "errors", "error_description"):
        found = message_in(document.get(key))
        if found:
            return found
    return ""


def title_in(body: bytes) -> str:
    """Return the title of an HTML page, or the beginning of a plain text."""
    text = body[:4096].decode("utf-8", "replace").strip()
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    if title:
        return f"a web page titled {title[1].strip()[:200]!r}"
    return "" if text.startswith(("<", "{", "[")) else text[:300]


def retry_after(headers: Mapping[str, str], document: object = None) -> float | None:
    """Return the seconds that a server asks to wait, None when it asks for nothing sensible.

    Source: RFC 9110, 10.2.3 (seconds or an HTTP date); OpenAI's and Azure's ``retry-after-ms``;
    Google's ``RetryInfo`` in the body.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    if value:
        try:
            ahead = parsedate_to_datetime(value).timestamp() - _now(headers)
        except (ValueError, TypeError, OverflowError):
            return None
        return ahead if ahead > 0 else None
    return _retry_info(document)


def _now(headers: Mapping[str, str]) -> float:
    """Return the server's own time, so that a wrong clock here does no harm."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return time.time()


def _number(text: str) -> float | None:
    # not float(): it takes "nan", "1e400" and "infinity"
    return float(text) if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", text.strip(), re.ASCII) else None


def _retry_info(document: object) -> float | None:
    match = re.search(r'"retryDelay": ?"(\d{1,9}(?:\.\d+)?)s"', json.dumps(document)) if document else None
    return float(match[1]) if match else None
