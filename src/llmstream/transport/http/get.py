"""One GET of a file that anybody may have: the rules that hold for downloads of models.

Unlike a provider's API, a place for files may redirect, as every hub does to its store.  It may do
so to https only; the user's token goes to the host that it was meant for and no further.
"""

from __future__ import annotations

import http
import ipaddress
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from llmstream.adapters.http_errors import refusal
from llmstream.errors import ConfigError, LLMStreamError, RequestRefused
from llmstream.prompt import Secret

if TYPE_CHECKING:
    import httpx

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 10
_MOST_OF_AN_ERROR: Final = 64 * 1024
_CONNECT: Final = 10.0  # seconds
_SILENCE: Final = 60.0  # seconds without a byte after which a download is taken for broken


def check_address(url: str) -> str:
    """Return an address that a model may be fetched from, as it came.

    Raises:
        ConfigError: it is neither https nor this very machine.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{shown(url)} is no usable address: {error}") from error
    if not host or any(not c.isprintable() or c.isspace() for c in url):
        raise ConfigError(f"{shown(url)} is no usable address")
    if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(host)):
        raise ConfigError(f"models are fetched over https only, not from {shown(url)}")
    return url


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown(url: str) -> str:
    """Return an address for people: without user, query and fragment, where secrets may be."""
    bare = url.split("?")[0].split("#")[0]
    head, mark, tail = "".join(c if c.isprintable() else "?" for c in bare).partition("://")
    host, slash, path = tail.partition("/")
    plain = f"{head}{mark}{host.rpartition('@')[2]}{slash}{path}"
    return plain if len(plain) <= 200 else plain[:197] + "..."


@contextmanager
def opened(
    url: str, headers: Mapping[str, str], token: Secret | None = None
) -> Generator[httpx.Response, None, None]:
    """Open a GET for as long as the block runs; its body has not been read yet.

    Args:
        url: where; redirects are followed.
        headers: beside our own.
        token: sent to the host of `url` alone, None for none.

    Yields:
        A response of status 2xx, or 416.

    Raises:
        ConfigError: an address that may not be fetched from.
        ProviderError: the server answered with a refusal.
        ConnectionFailed: there was no answer.
        TimeLimitPassed: no connection in time.
    """
    from llmstream.transport.http.common import DIRECT, FAULTS, USER_AGENT, no_cookies, opening_error, trust
    from llmstream.transport.http.quick_httpx import httpx

    client = httpx.Client(
        # with a bare context for http, a redirect from there to https could not be followed
        verify=trust(DIRECT, https=url.startswith("https:")),
        headers={"user-agent": USER_AGENT, "accept-encoding": "identity"},
        cookies=no_cookies(),
        timeout=httpx.Timeout(_SILENCE, connect=_CONNECT),
    )
    with client:
        try:
            response = _followed(client, url, dict(headers), token)
        except FAULTS as error:
            raise named(opening_error(error, expired=False), url) from error
        try:
            _refuse(response, url)
            yield response
        finally:
            response.close()


def _followed(
    client: httpx.Client, url: str, headers: dict[str, str], token: Secret | None
) -> httpx.Response:
    place = first = client.build_request("GET", check_address(url)).url
    for _ in range(_MOST_REDIRECTS):
        same = (place.scheme, place.host, place.port) == (first.scheme, first.host, first.port)
        secret = {"authorization": f"Bearer {token.reveal()}"} if token and same else {}
        request = client.build_request("GET", place, headers={**headers, **secret})
        # auth=None: user and password of an address would go along to the next host
        response = client.send(request, stream=True, follow_redirects=False, auth=None)
        location = response.headers.get("location")
        if response.status_code not in _REDIRECTS or not location:
            return response
        response.close()
        place = place.join(location)
        _check_redirect(url, str(place))
    raise RequestRefused(f"{shown(url)} redirects more than {_MOST_REDIRECTS} times")


def _check_redirect(url: str, to: str) -> None:
    # not from the open network to a service of this machine, and never from https to http
    if urlsplit(url).scheme == "https" and urlsplit(to).scheme != "https":
        raise RequestRefused(f"{shown(url)} redirects to {shown(to)}, which is not https")
    check_address(to)


def _refuse(response: httpx.Response, url: str) -> None:
    status = response.status_code
    if response.is_success or status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return
    error = refusal(status, dict(response.headers), bounded(response, _MOST_OF_AN_ERROR, url))
    error.hint = _HINTS.get(status, error.hint)
    raise named(error, url)


_HINTS: Final = {
    401: "a private or gated model wants a token in HF_TOKEN, and hf:OWNER/REPO as its address",
    403: "a private or gated model wants a token in HF_TOKEN, and hf:OWNER/REPO as its address",
    404: "is the name right? hf:OWNER/REPO:FILE names one file of a repository",
}


def bounded(response: httpx.Response, most: int, url: str) -> bytes:
    """Return the first `most` bytes of a body at most.

    Raises:
        ConnectionFailed: the connection broke.
    """
    from llmstream.transport.http.common import FAULTS, reading_error

    body = bytearray()
    try:
        for block in response.iter_raw():
            body += block
            if len(body) >= most:
                break
    except FAULTS as error:
        raise named(reading_error(error, expired=False), url) from error
    return bytes(body[:most])


def named(error: LLMStreamError, url: str) -> LLMStreamError:
    """Return an error whose message says which address it is about."""
    error.message = f"{shown(url)}: {error.message}"
    error.args = (error.message,)
    return error
