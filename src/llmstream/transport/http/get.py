"""One GET of a public file, with the rules for downloading models.

Unlike a provider's API, a file host may redirect, as every hub does to its file storage, but never from https
to http.  The user's token is sent only to the scheme, host and port of the original URL.
"""

from __future__ import annotations

import http
import ipaddress
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from llmstream.adapters.base import HttpRequest
from llmstream.adapters.http_errors import refusal
from llmstream.engine.effects import Head, Open, Read
from llmstream.errors import ConfigError, ConnectionFailed, LLMStreamError, RequestRefused, TimeLimitPassed
from llmstream.prompt import Secret

if TYPE_CHECKING:
    from llmstream.transport.http.sync import HttpTransport

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 10
_MOST_OF_AN_ERROR: Final = 64 * 1024
_CONNECT: Final = 10.0  # seconds
_SILENCE: Final = 60.0  # seconds to wait for the head, and for each part of the body


def check_address(url: str) -> str:
    """Return the address unchanged if a model may be downloaded from it.

    Raises:
        ConfigError: the address is invalid, or neither https nor on this machine.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{shown(url)} is not a usable URL: {error}") from error
    if not host or any(not c.isprintable() or c.isspace() for c in url):
        raise ConfigError(f"{shown(url)} is not a usable URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(host)):
        raise ConfigError(f"models are downloaded over https only, not from {shown(url)}")
    return url


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown(url: str) -> str:
    """Return an address for display, without user, query and fragment, which may hold secrets."""
    bare = url.split("?")[0].split("#")[0]
    head, mark, tail = "".join(c if c.isprintable() else "?" for c in bare).partition("://")
    host, slash, path = tail.partition("/")
    plain = f"{head}{mark}{host.rpartition('@')[2]}{slash}{path}"
    return plain if len(plain) <= 200 else plain[:197] + "..."


class Download:
    """A response whose body has not been read yet.

    Args:
        transport: the transport on which it arrives.
        head: its status and headers.
        url: the requested address, for messages.
    """

    def __init__(self, transport: HttpTransport, head: Head, url: str) -> None:
        self._transport = transport
        self.status = head.status
        self.headers = head.headers
        self._url = url

    def blocks(self) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            StreamError: the connection broke, or the body is damaged.
            TimeLimitPassed: no data for a minute.
        """
        try:
            while block := self._transport.perform(Read(time.monotonic() + _SILENCE)):
                assert isinstance(block, bytes)
                yield block
        except LLMStreamError as error:
            raise named(error, self._url) from error.__cause__

    def beginning(self, most: int) -> bytes:
        """Return at most the first `most` bytes of the body."""
        body = bytearray()
        for block in self.blocks():
            body += block
            if len(body) >= most:
                break
        return bytes(body[:most])


def followed(url: str, ask: Callable[[str], Head], check: Callable[[str, str], None], most: int) -> Head:
    """Request an address, follow its redirects, and return the first head that is not a redirect.

    Args:
        url: the first address.
        ask: sends a GET and returns the head of the response.
        check: called with each address and its redirect target; raises if the target is not allowed.
        most: most requests.

    Raises:
        RequestRefused: all `most` responses are redirects.
    """
    place = url
    for _ in range(most):
        head = ask(place)
        location = head.headers.get("location", "")
        if head.status not in _REDIRECTS or not location:
            return head
        to = urljoin(place, location)
        check(place, to)
        place = to
    raise RequestRefused(f"{shown(url)} redirects too often ({most} times)")


@contextmanager
def opened(
    url: str, headers: Mapping[str, str], token: Secret | None = None
) -> Generator[Download, None, None]:
    """Send a GET, and keep the response open while the block runs.

    Args:
        url: the address; redirects are followed.
        headers: sent in addition to our own.
        token: sent only to the scheme, host and port of `url`; None for none.

    Yields:
        A response with a status of 2xx or 416, whose body has not been read yet.

    Raises:
        ConfigError: an address from which models may not be downloaded.
        ProviderError: the server refused the request, or a redirect is not allowed.
        ConnectionFailed: no response arrived.
        TimeLimitPassed: no connection or no response in time.
    """
    from llmstream.transport.http.sync import HttpTransport

    transport = HttpTransport()

    def ask(place: str) -> Head:
        wanted = {"accept-encoding": "identity", **headers}
        if token is not None and _origin(place) == _origin(url):
            wanted["authorization"] = f"Bearer {token.reveal()}"
        request = HttpRequest("GET", place, wanted, b"", "whole")
        head = transport.perform(Open(request, _CONNECT, time.monotonic() + _SILENCE))
        assert isinstance(head, Head)
        return head

    try:
        try:
            head = followed(check_address(url), ask, _check_redirect, _MOST_REDIRECTS)
        except (ConnectionFailed, TimeLimitPassed) as error:
            raise named(error, url) from error.__cause__
        answer = Download(transport, head, url)
        _refuse(answer, url)
        yield answer
    finally:
        transport.close()


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


def _check_redirect(place: str, to: str) -> None:
    # also not from the internet to a plain http service on this machine
    if urlsplit(place).scheme == "https" and urlsplit(to).scheme != "https":
        raise RequestRefused(f"{shown(place)} redirects to {shown(to)}, which is not https")
    check_address(to)


def _refuse(answer: Download, url: str) -> None:
    status = answer.status
    if 200 <= status < 300 or status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return
    error = refusal(status, answer.headers, answer.beginning(_MOST_OF_AN_ERROR))
    error.hint = _HINTS.get(status, error.hint)
    raise named(error, url)


_HINTS: Final = {
    401: "for a private or gated model, set HF_TOKEN and use hf:OWNER/REPO",
    403: "for a private or gated model, set HF_TOKEN and use hf:OWNER/REPO",
    404: "check the name; hf:OWNER/REPO:FILE means one file of a repository",
}


def named(error: LLMStreamError, url: str) -> LLMStreamError:
    """Return the error with the address added to its message."""
    error.message = f"{shown(url)}: {error.message}"
    error.args = (error.message,)
    return error
