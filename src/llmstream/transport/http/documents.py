"""Fetches one document by GET: a list of models, or a file to attach to a prompt."""

from __future__ import annotations

import http
import time
from typing import Final
from urllib.parse import urlsplit

from llmstream.adapters.base import HttpRequest
from llmstream.engine.effects import Head, Open, Read
from llmstream.errors import BadMessage, ConfigError, LLMStreamError, RequestRefused, UsageError
from llmstream.transport.http.common import DIRECT, Connection
from llmstream.transport.http.get import followed, shown
from llmstream.transport.http.sync import HttpTransport

DOCUMENT_LIMIT: Final = 16 * 1024 * 1024
FILE_CONNECT: Final = 10.0
FILE_SECONDS: Final = 120.0
MOST_REDIRECTS: Final = 5


class TooLarge(BadMessage):
    """A document is larger than it may be."""


def fetch_document(
    url: str,
    headers: dict[str, str],
    route: Connection,
    *,
    connect: float,
    seconds: float,
    limit: int = DOCUMENT_LIMIT,
) -> tuple[Head, bytes]:
    """Send a GET and return the head and the body of the response; redirects are not followed.

    Args:
        url: absolute.
        headers: headers to send, including the key's.
        route: the route to the server.
        connect: seconds for DNS, TCP and TLS.
        seconds: time limit for everything.
        limit: most bytes of the body.

    Raises:
        TooLarge: the body is larger than `limit`.
        LLMStreamError: no response, or a broken one.
    """
    request = HttpRequest("GET", url, headers, b"", "whole")
    deadline = time.monotonic() + seconds
    transport = HttpTransport()
    try:
        head = transport.perform(Open(request, connect, deadline, route))
        assert isinstance(head, Head)
        body = bytearray()
        while data := transport.perform(Read(deadline)):
            assert isinstance(data, bytes)
            body += data
            if len(body) > limit:
                raise TooLarge(f"the document at {url} is larger than {limit >> 20} MiB")
    finally:
        transport.close()
    return head, bytes(body)


def fetch_file(url: str, *, limit: int) -> bytes:
    """Return the content of a public URL; neither key nor prompt is sent to it.

    Args:
        url: http or https.  Redirects are followed to https, and from http to http on the same host and port.
        limit: most bytes of the content.

    Raises:
        UsageError: the URL is invalid, redirects elsewhere or too often, has more than `limit` bytes, or the
            server did not answer with 200.
        LLMStreamError: no response, or a broken one.
    """
    body = b""

    def ask(place: str) -> Head:
        nonlocal body
        head, body = fetch_document(
            place, {"accept": "*/*"}, DIRECT, connect=FILE_CONNECT, seconds=FILE_SECONDS, limit=limit
        )
        return head

    try:
        if not urlsplit(url).hostname:
            raise UsageError(f"{shown(url)} is not a usable URL")
        status = followed(url, ask, _check_redirect, MOST_REDIRECTS).status
    except RequestRefused as error:
        raise UsageError(error.message) from error
    except TooLarge as error:
        raise UsageError(f"{shown(url)} is larger than the {limit >> 20} MiB limit") from error
    except (ConfigError, ValueError) as error:
        raise UsageError(f"{shown(url)} can't be read: {error}") from error
    except LLMStreamError as error:
        if not isinstance(error, UsageError):
            error.message = f"{shown(url)}: {error.message}"
        raise
    if status != http.HTTPStatus.OK:
        raise UsageError(f"{shown(url)} can't be read: the server responded with {_phrase(status)}")
    return body


def _check_redirect(place: str, to: str) -> None:
    # a page on the internet must not redirect us to a plain http server on the local network
    secure = urlsplit(to).scheme == "https"
    if not secure and not (
        urlsplit(place).scheme == "http" and urlsplit(to).netloc == urlsplit(place).netloc
    ):
        raise UsageError(
            f"{shown(place)} redirects to {shown(to)}, which is not followed",
            hint="to use that address, specify it directly",
        )


def _phrase(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
