"""Splits URLs into what HTTP needs: where to connect, what to request, and which credentials to send."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from llmstream.errors import ConfigError
from llmstream.record import Record

PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
LONGEST_NAME: Final = 253
"""Longest DNS name, in characters (RFC 1035, section 2.3.4)."""
_AS_THEY_ARE: Final = "!#$%&'()*+,/:;=?@[]~"
_UNUSABLE: Final = re.compile(r"[\x00-\x20\x7f]")


class Address(Record):
    """The parts of a URL.

    Args:
        scheme: in lower case.
        host: a name in ASCII, or an IP address; IPv6 without brackets.
        port: the URL's, or its scheme's default.
        target: path and query, percent-encoded.
        user: the value of an Authorization header for the URL's user and password, empty if it has none.
    """

    scheme: str
    host: str
    port: int
    target: str
    user: str = ""

    @property
    def place(self) -> str:
        """Host and port as in a Host header: the port only if it is not the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def authority(self) -> str:
        """Host and port, the port always included, as CONNECT requires."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@lru_cache(maxsize=64)
def address_of(url: str, schemes: tuple[str, ...] = ("http", "https")) -> Address:
    """Return the parts of a URL.

    Args:
        url: absolute.
        schemes: the schemes that are accepted.

    Raises:
        ConfigError: the URL can't be used.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii(parts.hostname or "")
    except ValueError as error:
        raise ConfigError(f"{url!r} is not a usable address: {error}") from error
    if parts.scheme not in schemes:
        raise ConfigError(f"{url!r} is not a usable address: it must begin with http:// or https://")
    if not host or _UNUSABLE.search(url):
        raise ConfigError(f"{url!r} is not a usable address")
    target = quote(parts.path or "/", safe=_AS_THEY_ARE)
    if parts.query:
        target += "?" + quote(parts.query, safe=_AS_THEY_ARE)
    user = ""
    if parts.username or parts.password:
        user = basic(unquote(parts.username or ""), unquote(parts.password or ""))
    return Address(parts.scheme, host, port or PORTS[parts.scheme], target, user)


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization header.  Source: RFC 7617."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode('ascii')}"


def numeric(host: str) -> bool:
    """Return whether a host has the form of an IP address, without a DNS look-up."""
    if ":" in host:
        return True
    parts = host.split(".")
    return len(parts) == 4 and all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts)


def _ascii(host: str) -> str:
    """Return a name in the ASCII form that DNS requires.

    Raises:
        ValueError: it is not a valid name.
    """
    if host.isascii():
        if not all(0 < len(label) < 64 for label in host.removesuffix(".").split(".")) and host:
            raise ValueError("a part of the host's name is empty or too long")
        name = host
    else:
        name = host.encode("idna").decode("ascii")
    if len(name) > LONGEST_NAME:
        raise ValueError("the host's name is too long")
    return name
