"""Turn a refused request's response into an error, with its class, whether to retry, and when.

Providers agree on status codes and little else; error_words.py finds their messages.
Sources: RFC 9110, sections 10.2.3 and 15; the error references of OpenAI, Anthropic, Google, Mistral,
Cohere and xAI, and recorded answers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from llmstream.adapters.error_words import message_in, parsed, words_of_page
from llmstream.adapters.json_values import extras_at
from llmstream.errors import (
    AuthenticationError,
    ContextTooLong,
    ProviderError,
    RequestRefused,
    Unavailable,
)

PLAIN_LIMIT: Final = 300
"""Most characters quoted from a body that is not JSON."""
RETRYABLE: Final = frozenset({408, 409, 425, 429})
FOR_GOOD: Final = frozenset({501, 505, 506, 510, 511})
"""Status codes of server errors that retrying does not fix."""
OVERLOAD_TYPES: Final = re.compile(
    r"overload|server_?error|internal|api_error|time_?out|rate_?(limit|quota)|throttl|too_?many_?requests|"
    r"unavailable|exhausted|modelstreamerror|modelnotready|capacity|busy",
    re.IGNORECASE,
)
"""Types and codes of errors caused by the state of the server rather than by the request."""
PASSING: Final = frozenset(
    {
        "overloaded_error", "overloaded", "server_error", "internal_error", "api_error", "timeout_error",
        "rate_limit_error", "rate_limit_exceeded", "unavailable", "resource_exhausted", "internal",
        "internal_server_error", "engine_overloaded", "throttlingexception",
        "serviceunavailableexception", "internalserverexception", "modelstreamerrorexception",
        "modeltimeoutexception", "modelnotreadyexception",
    }
)  # fmt: skip
"""Documented types, in lower case, after which the same request may succeed."""
TOO_LONG: Final = re.compile(
    r"context[ _](length|window|size)|maximum context|too many (input )?tokens|(prompt|input) is too long|"
    r"exceeds? the (available )?context|input (length|token)",
    re.IGNORECASE,
)
OVERFLOW: Final = re.compile(r"(?i)exceed\w{0,4} .{0,40}context|maximum context|(prompt|input) is too long")
"""Matches only errors that certainly mean a prompt which is too long."""
USED_UP: Final = re.compile(
    r"insufficient[ _](quota|balance|credits?|funds)|exceeded_current_quota|billing_(hard_limit|not_active)|"
    r"credit balance is too low",
    re.IGNORECASE,
)
"""Matches errors about a quota or credit that waiting does not restore."""
UNSUPPORTED: Final = re.compile(
    r"not (yet )?(supported|implemented)|unsupported|does(n't| not) support", re.IGNORECASE
)


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """Return the error for an HTTP status of 300 or more.

    Args:
        status: the HTTP status.
        headers: names in lower case.
        body: the start of the body.
    """
    document = parsed(body)
    said = message_in(document)
    if not said:
        said = words_of_page(body)
        said = said if len(said) <= PLAIN_LIMIT else said[: PLAIN_LIMIT - 1] + "…"
    kind = _class_of(status, said)
    if 300 <= status < 400:
        where = headers.get("location", "")
        said = f"redirects to {where[:200] or 'nowhere (no Location header)'}; redirects are not followed"
    error = kind(f"{status} {_phrase(status)}" + (f": {said}" if said else ""), status=status)
    error.retryable = _again(status, said) and headers.get("x-should-retry", "").lower() != "false"
    error.retry_after = retry_after(headers, document)
    if 300 <= status < 400:
        error.hint = "set base_url to the final URL; the key is never sent to another address"
    elif status == 402 or (status in (403, 429) and _used_up(said, document)):
        error.retryable = False
        error.hint = "the account's credit or quota is used up; retrying won't help"
    elif error.retryable and kind is Unavailable:
        error.hint = "try again later, or use another model"
    return error


def _used_up(said: str, document: object) -> bool:
    error = extras_at(document, "error") or (document if isinstance(document, dict) else {})
    kinds = " ".join(str(error.get(key)) for key in ("type", "code") if isinstance(error.get(key), str))
    return bool(USED_UP.search(f"{kinds} {said}"))


def in_stream(message: str, kind: str = "", status: int | None = None) -> ProviderError:
    """Return the error for a failure that is reported inside an answer.

    Args:
        message: the provider's message.
        kind: the error's type or code, empty for none.
        status: the HTTP status in the report, None for none.
    """
    said = message or kind or "an error without a message"
    if kind and kind.lower() not in said.lower():
        said = f"{said} ({kind})"
    for_good = bool(USED_UP.search(said))
    if status is not None and 400 <= status < 600:
        again = _again(status, said) and not for_good
        return _class_of(status, said)(said, status=status, retryable=again)
    if OVERLOAD_TYPES.search(kind):
        return Unavailable(said, retryable=kind.lower() in PASSING and not for_good)
    return ContextTooLong(said) if TOO_LONG.search(said) else RequestRefused(said)


def _again(status: int, said: str) -> bool:
    """Return whether the same request may succeed a little later, by its status and the server's message."""
    lasting = (status >= 500 and UNSUPPORTED.search(said)) or _overflows(status, said)
    return retryable(status) and not lasting


def _overflows(status: int, said: str) -> bool:
    """Return whether a server reports a prompt that is too long as an error of its own, as llama.cpp did."""
    return status == 500 and OVERFLOW.search(said) is not None


def retryable(status: int) -> bool:
    """Return whether the same request may succeed a little later."""
    return status in RETRYABLE or (status >= 500 and status not in FOR_GOOD)


def _class_of(status: int, said: str) -> type[ProviderError]:
    if status in (401, 403):
        return AuthenticationError
    if (status in RETRYABLE or status >= 500) and not _overflows(status, said):
        return Unavailable
    return ContextTooLong if TOO_LONG.search(said) else RequestRefused


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return {529: "Overloaded", 520: "Web Server Returned an Unknown Error"}.get(status, "error")


def retry_after(headers: Mapping[str, str], document: object = None) -> float | None:
    """Return the seconds that a server asks us to wait, None if there is no valid value.

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
    """Return the server's time if known, because our clock may be wrong; seconds since 1970."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return time.time()


def _number(text: str) -> float | None:
    # float() alone would accept "nan", "1e400" and "infinity"
    return float(text) if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", text.strip(), re.ASCII) else None


def _retry_info(document: object, depth: int = 0) -> float | None:
    """Return the seconds of a ``retryDelay`` anywhere in a document."""
    if depth > 8 or not isinstance(document, dict | list):
        return None
    if isinstance(document, dict):
        delay = document.get("retryDelay")
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", delay, re.ASCII) if isinstance(delay, str) else None
        if match:
            return float(match[1])
    entries = document.values() if isinstance(document, dict) else document
    found = (_retry_info(entry, depth + 1) for entry in list(entries)[:64])
    return next((seconds for seconds in found if seconds is not None), None)
