"""Convert a foreign object's exceptions to ours, without the keys that they may contain.

An exception is recognised by its status or the names of its classes, without imports.

Sources: the exceptions of openai 2, anthropic, httpx 0.28, requests, botocore and pydantic 2.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Mapping
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters.error_words import message_in
from llmstream.engine.placing import MESSAGE_LIMIT
from llmstream.errors import ConnectionFailed, LLMStreamError, LocalModelError, StreamBroken
from llmstream.prompt import Secret

NO_ANSWER: Final = re.compile(r"Connect|Timeout|TransportError|gaierror")
"""In the name of an exception's class or base class, it means that there was no answer or it broke off."""
CONFIDENTIAL: Final = re.compile(r"key|token|secret|password|credential|authorization", re.IGNORECASE)
"""In the name of an option or variable, it means that the value must not be shown."""
HINTS: Final = {
    401: "set the key in the provider's `options`, or in the variable that the object's library reads",
    404: "check the model's name, and the URL in the provider's `options`",
}


class Discretion:
    """Hides the keys that an object was given as arguments or may have read from the environment.

    Args:
        arguments: the object's arguments.
        variables: the environment variables.
    """

    def __init__(self, arguments: Mapping[str, object], variables: Mapping[str, str]) -> None:
        self._secrets = [*_secrets(arguments, "option "), *_secrets(variables, "$")]

    def hide(self, text: str) -> str:
        """Return a text with all keys hidden."""
        for secret in self._secrets:
            text = secret.redact(text)
        return text

    def shown(self, error: BaseException) -> BaseException | None:
        """Return an exception, or None if its traceback, which --debug prints, contains a key."""
        trace = "".join(traceback.format_exception(error))
        return error if self.hide(trace) == trace else None

    def error_of(self, error: BaseException, *, begun: bool) -> LLMStreamError:
        """Return the error for an exception raised by the object.

        Args:
            error: the exception; an error of ours is returned unchanged.
            begun: whether part of the answer has arrived.
        """
        if isinstance(error, LLMStreamError):
            return error
        made = _error_of(error, self.hide(said_by(error)), begun=begun)
        made.__cause__ = self.shown(error)
        return made


def _secrets(values: Mapping[str, object], prefix: str) -> Iterable[Secret]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _secrets(value, prefix)
        elif isinstance(value, str) and _is_key(value) and CONFIDENTIAL.search(name):
            yield Secret(value, f"{prefix}{name}")


def _is_key(value: str) -> bool:
    """Return whether a value is long enough for a key (8 characters) and does not look like a path."""
    return len(value) >= 8 and "/" not in value[:2]


def _error_of(error: BaseException, said: str, *, begun: bool) -> LLMStreamError:
    response = getattr(error, "response", None)
    status = _status(error, response)
    if status is not None:
        refused = http_errors.in_stream(said, status=status)
        refused.hint = HINTS.get(401 if status == 403 else status, "")
        headers = getattr(response, "headers", None)
        if isinstance(headers, Mapping):
            lower = {str(name).lower(): str(value) for name, value in headers.items()}
            refused.retry_after = http_errors.retry_after(lower)
        return refused
    if any(NO_ANSWER.search(kind.__name__) for kind in type(error).__mro__):
        return StreamBroken(said) if begun else ConnectionFailed(said)
    return LocalModelError(said)


def said_by(error: BaseException) -> str:
    """Return an exception's class and message on one line."""
    body = getattr(error, "body", None)
    said = message_in(body) if body else ""
    said = said or _complaints(error) or str(error)
    name = type(error).__name__
    return f"{name}: {' '.join(said.split())}"[:MESSAGE_LIMIT] if said else name


def _complaints(error: BaseException) -> str:
    """Return pydantic's messages without the values, which may be keys; empty for other exceptions."""
    errors = getattr(error, "errors", None)
    if type(error).__name__ != "ValidationError" or not callable(errors):
        return ""
    found = [(".".join(map(str, one.get("loc", ()))), one.get("msg", "")) for one in errors()]
    return "; ".join(f"{place}: {said}" if place else said for place, said in found)


def _status(error: BaseException, response: object) -> int | None:
    candidates = [getattr(error, name, None) for name in ("status_code", "http_status", "status", "code")]
    candidates.append(getattr(response, "status_code", None))
    if isinstance(response, Mapping):
        candidates.append((response.get("ResponseMetadata") or {}).get("HTTPStatusCode"))
    return next((one for one in candidates if isinstance(one, int) and 400 <= one < 600), None)
