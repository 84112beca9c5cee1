"""Removes secrets from recordings, even when a server repeats them or they are split across reads.

A secret is replaced by its origin in brackets, in each form in which it may occur: as it is, escaped for
JSON, a URL or HTML, and, for the user and password of a URL, as HTTP's Basic credentials.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from llmstream.engine.effects import Call
from llmstream.prompt import Json, tells_a_secret

SHORTEST: Final = 8
"""Characters of the shortest secret that is replaced in running text: a dummy key such as "none",
"test" or "ollama" would otherwise remove ordinary words from the answer."""
ENDINGS: Final = (
    "key", "token", "secret", "password", "passwd", "credential", "credentials", "authorization", "auth",
    "cookie",
)  # fmt: skip
"""Ends of the names of fields that contain secrets; `max_tokens` and `tokenizer` don't match."""
UNSAFE: Final = re.compile(r"[^ !#-\[\]-~]")
"""Characters that a replacement may not contain, so that it is valid in JSON and in a header."""
WITHHELD: Final = ("cookie", "authorization", "-token", "-key", "secret", "password", "credential")
"""Parts of the names of response headers whose values are never recorded."""


class Redactor:
    """Replaces secrets in texts and in a stream of bytes.

    Args:
        secrets: each secret and its replacement, without the brackets.
    """

    def __init__(self, secrets: Iterable[tuple[str, str]] = ()) -> None:
        self._whole: dict[str, str] = {}
        self._shown: dict[bytes, bytes] = {}
        for value, origin in secrets:
            shown = f"[{UNSAFE.sub('_', origin)}]"
            self._whole.setdefault(value, shown)
            for form in _forms(value):
                self._shown.setdefault(form, shown.encode())
        longest_first = sorted(self._shown, key=len, reverse=True)
        self._any = re.compile(b"|".join(map(re.escape, longest_first))) if longest_first else None
        self._beginnings = {form[:length] for form in self._shown for length in range(1, len(form))}
        self._bytes = frozenset(byte for form in self._shown for byte in form)
        self._longest = max(map(len, self._shown), default=1) - 1
        self._held = b""

    def text(self, text: str) -> str:
        """Return a complete text without secrets."""
        if self._any is None:
            return text
        data = text.encode("utf-8", "surrogatepass")
        return self._any.sub(self._replacement, data).decode("utf-8", "surrogatepass")

    def value(self, value: Json) -> Json:
        """Return a JSON value without secrets; a text that equals a secret is replaced even if short."""
        if isinstance(value, str):
            return self._whole.get(value) or self.text(value) if value else value
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {name: self.value(one) for name, one in value.items()}
        return value

    def feed(self, data: bytes) -> bytes:
        """Return one read's bytes without secrets; the possible start of one is held until the next call."""
        if self._any is None:
            return data
        data = self._any.sub(self._replacement, self._held + data)
        kept = len(data) - self._open_at_end(data)
        self._held = data[kept:]
        return data[:kept]

    def close(self) -> bytes:
        """Return the bytes still held at the stream's end."""
        held, self._held = self._held, b""
        return held

    def _replacement(self, match: re.Match[bytes]) -> bytes:
        return self._shown[match[0]]

    def _open_at_end(self, data: bytes) -> int:
        """Return how many bytes at the end may be the beginning of a secret."""
        # a shortcut: nearly all reads end with a newline, which no key contains
        if not data or data[-1] not in self._bytes:
            return 0
        for length in range(min(self._longest, len(data)), 0, -1):
            if data[-length:] in self._beginnings:
                return length
        return 0


def secrets_of(call: Call) -> Iterator[tuple[str, str]]:
    """Yield the secrets in a call's request, each with its origin."""
    endpoint = call.endpoint
    if endpoint.api_key is not None:
        yield endpoint.api_key.reveal(), endpoint.api_key.origin
    for name, value in endpoint.headers.items():
        if tells_a_secret(name):
            # without the scheme: "Bearer sk-..."
            yield value.rpartition(" ")[2], name
    for fields in (endpoint.extra_body, call.options.extra):
        yield from _told_by_name(fields)
    yield from _in_address(endpoint.base_url, "base_url")
    proxy = getattr(call.route, "proxy", None)
    if isinstance(proxy, str):
        yield from _in_address(proxy, "proxy")


def request_headers(headers: Mapping[str, str], redactor: Redactor) -> dict[str, Json]:
    """Return a request's headers without secrets."""
    return {name: _header(name, value, redactor) for name, value in headers.items()}


def response_headers(headers: Mapping[str, str], redactor: Redactor) -> dict[str, Json]:
    """Return a response's headers without secrets, including cookies and new tokens from the server."""
    return {
        name: f"[{name}]" if any(part in name.lower() for part in WITHHELD) else redactor.text(value)
        for name, value in headers.items()
    }


def _header(name: str, value: str, redactor: Redactor) -> str:
    shown = redactor.text(value)
    return f"[{name}]" if shown == value and tells_a_secret(name) else shown


def _forms(value: str) -> Iterator[bytes]:
    if len(value) < SHORTEST:
        return
    quoted = json.dumps(value)[1:-1]
    percent = quote(value, safe="")
    for form in (value, quoted, quoted.replace("/", "\\/"), percent, percent.lower(), escape(value)):
        yield form.encode("utf-8", "surrogatepass")


def _told_by_name(fields: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(fields, Mapping):
        for key, value in fields.items():
            yield from _told_by_name(value, str(key))
    elif isinstance(fields, list | tuple):
        for value in fields:
            yield from _told_by_name(value, name)
    elif isinstance(fields, str) and name.lower().endswith(ENDINGS):
        yield fields, name


def _in_address(url: str, origin: str) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:
        return
    if user or password:
        yield b64encode(f"{user}:{password}".encode()).decode(), origin
        yield password or user, origin
    for name, value in parse_qsl(parts.query):
        if tells_a_secret(name):
            yield value, name
