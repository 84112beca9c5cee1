"""Which proxy a request goes through, from the settings and the environment.

The environment is read when a request is made, and only for its scheme: an unused proxy can't cause an
error.  The variables are curl's, lower-case names first, and HTTP_PROXY in upper case except in CGI scripts.
NO_PROXY may also contain what people often write there: brackets, ports, blanks, quotes, full URLs, dots
and stars, and networks (CIDR).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Final

from llmstream.errors import ConfigError
from llmstream.record import Record
from llmstream.transport.http.address import Address, address_of, numeric

SCHEMES: Final = ("http", "https", "socks5", "socks5h")
_WITH_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
OWN: Final = "the provider's proxy setting"


class Proxy(Record):
    """A proxy that a request goes through.

    Args:
        address: its address, with the credentials for the proxy itself.
        origin: the variable or setting that names it.
    """

    address: Address
    origin: str

    def __repr__(self) -> str:
        return f"{self.address.scheme}://{self.address.authority}"

    @property
    def name(self) -> str:
        """The name used in messages, without user and password."""
        return f"the proxy {self!r} (from {self.origin})"


def proxy_for(to: Address, own: str | None, variables: Mapping[str, str] = os.environ) -> Proxy | None:
    """Return the proxy for an address, None for none.

    Args:
        to: the address to reach.
        own: the provider's own proxy, which overrides the environment's; None for none.
        variables: the environment.

    Raises:
        ConfigError: the proxy can't be used; the message names its variable or setting.
    """
    if own:
        return proxy_of(own, OWN)
    found = _of_environment(to.scheme, variables)
    if found is None or left_out(to.host, to.port, _value("no_proxy", variables)[1]):
        return None
    return proxy_of(found[1], found[0])


def _of_environment(scheme: str, variables: Mapping[str, str]) -> tuple[str, str] | None:
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable, value = _value(name, variables)
        # in a CGI script, HTTP_PROXY is the Proxy header of the request ("httpoxy", CVE-2016-1000110)
        if value and not (variable == "HTTP_PROXY" and "REQUEST_METHOD" in variables):
            return variable, value
    if sys.platform in ("win32", "darwin"):
        return _of_system(scheme)
    return None


def _value(name: str, variables: Mapping[str, str]) -> tuple[str, str]:
    """Return a variable's name as it is set, lower case first, and its value; empty if not set."""
    for one in (name, name.upper()):
        value = variables.get(one, "").strip()
        if value:
            return one, value
    return name, ""


def _of_system(scheme: str) -> tuple[str, str] | None:
    """Return the proxy from the system's settings, on systems that have them."""
    from urllib.request import getproxies

    found = getproxies()
    value = found.get(scheme) or found.get("all")
    return ("the system's settings", value) if value else None


def proxy_of(url: str, origin: str) -> Proxy:
    """Return the proxy in a setting.

    Args:
        url: its address; without a scheme, http:// is assumed.
        origin: the variable or setting.

    Raises:
        ConfigError: the proxy can't be used.
    """
    if not _WITH_SCHEME.match(url):
        url = f"http://{url}"
    # NO_PROXY does not affect a provider's own proxy
    more = "" if origin == OWN else ", or exclude this host with NO_PROXY"
    scheme = url.partition("://")[0].lower()
    if scheme == "socks":
        # written by GNOME; means version 5
        url = f"socks5{url[5:]}"
    elif scheme not in SCHEMES:
        raise ConfigError(
            f"the proxy from {origin} can't be used: {scheme}:// is not supported",
            hint=f"set {origin} to an http://, https:// or socks5:// address{more}",
        )
    try:
        address = address_of(url, SCHEMES)
    except ConfigError as error:
        said = "not a usable address"
        raise ConfigError(
            f"the proxy from {origin} can't be used: {said}", hint=f"correct {origin}{more}"
        ) from error.__cause__
    return Proxy(address, origin)


def left_out(host: str, port: int, no_proxy: str) -> bool:
    """Return whether NO_PROXY excludes a host.

    Args:
        host: a name in ASCII, or an IP address; IPv6 without brackets.
        port: the server's.
        no_proxy: names, IP addresses and networks, separated by commas or blanks.
    """
    host = host.rstrip(".").lower()
    # a value that no shell has read, as from Docker's --env-file, still contains its quotes
    return any(_means(entry.lower(), host, port) for entry in re.split(r"[,;\s\"']+", no_proxy) if entry)


def _means(entry: str, host: str, port: int) -> bool:
    entry = entry.rpartition("://")[2].rstrip("/")
    if entry == "*":
        return True
    name, wanted = _split_port(entry)
    if wanted and wanted != str(port):
        return False
    number = numeric(host)
    if number and name.endswith(".*"):
        return host.startswith(name[:-1])
    if name == host:
        return True
    if "/" in name or ":" in name or number:
        return ("/" in name or numeric(name)) and _in_network(host, name)
    name = _in_ascii(name.removeprefix("*").strip("."))
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, str]:
    """Return an entry without brackets, such as ``[fd00::]/8:443``, and its port, empty if it has none."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        size, _, port = rest.partition(":")
        return name + size, port
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _in_ascii(name: str) -> str:
    """Return a name in the ASCII form that DNS requires, unchanged if it has none."""
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def _in_network(host: str, network: str) -> bool:
    import ipaddress

    try:
        number, within = ipaddress.ip_address(host), ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
    mapped = number.ipv4_mapped if isinstance(number, ipaddress.IPv6Address) else None
    return number in within or (mapped is not None and mapped in within)
