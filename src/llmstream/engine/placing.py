"""Complete an error's message: add provider and host, hide keys, shorten long text.

The order matters: keys are hidden before the text is shortened, because a key that was cut in two is no
longer recognised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from llmstream.adapters.base import Adapter
from llmstream.engine.surrogates import joined
from llmstream.errors import AuthenticationError, LLMStreamError, ProviderError
from llmstream.prompt import Endpoint, Secret
from llmstream.wire.document import excerpt

MESSAGE_LIMIT: Final = 2000
"""Most characters of an error's message."""


def refused(
    adapter: Adapter, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes
) -> ProviderError:
    """Return the adapter's error for a refusal, after hiding keys in it.

    Args:
        adapter: the dialect.
        endpoint: the endpoint whose keys to hide.
        status: the HTTP status.
        headers: header names in lower case.
        body: the start of the body.
    """
    hidden = {name: endpoint.redact(value) for name, value in headers.items()}
    return adapter.error(status, hidden, endpoint.redact_bytes(body))


def placed(error: LLMStreamError, endpoint: Endpoint, where: str) -> LLMStreamError:
    """Add the provider to an error's message, hide keys in it, then shorten it.

    Args:
        error: an error that names no provider yet; it is changed in place.
        endpoint: the endpoint that was called.
        where: the prefix of the message.
    """
    error.provider = endpoint.provider
    said = endpoint.redact(f"{where}: {error.message}")
    quote, error.quote = endpoint.redact(error.quote), ""
    if quote:
        said += f": {excerpt(quote)}"
    error.message = said if len(said) <= MESSAGE_LIMIT else said[: MESSAGE_LIMIT - 1] + "…"
    error.message = joined(error.message)
    if not error.hint:
        error.hint = _hint(error, endpoint)
    error.hint = endpoint.redact(error.hint)
    error.args = (error.message,)
    return error


def _hint(error: LLMStreamError, endpoint: Endpoint) -> str:
    if isinstance(error.__cause__, ConnectionRefusedError):
        return f"nothing is listening there; start the server or check base_url ({endpoint.base_url})"
    if isinstance(error, AuthenticationError):
        key = endpoint.api_key
        return f"key used: {key.origin}{_oddity(key)}" if key else "no key was sent"
    if isinstance(error, ProviderError) and error.status == 404:
        # a list of models is requested without a model
        if endpoint.model in ("", "-"):
            return f"check base_url ({endpoint.base_url})"
        return (
            f'check the model name ("{endpoint.model}") and base_url ({endpoint.base_url}); '
            f"`llmstream models {endpoint.provider}` lists the models"
        )
    return ""


def _oddity(secret: Secret) -> str:
    """Return what looks wrong about a key that was refused, without showing the key."""
    key = secret.reveal()
    if key == f"[{secret.origin}]":
        return ""  # the placeholder that a recording has for a key
    if key[:1] in ("'", '"', "`") and key[:1] == key[-1:]:
        return "; it is in quotes, which were sent too"
    if key.lower().startswith("bearer "):
        return '; it starts with "Bearer", which is added to every key'
    if re.match(r"(export\s|[A-Z_]+=)", key):
        return "; it looks like an assignment: leave out the name"
    return "; it contains a space" if " " in key else ""


def host(url: str) -> str:
    """Return a URL's host and port, without user and password; "no host" if it is invalid."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return "no host"
