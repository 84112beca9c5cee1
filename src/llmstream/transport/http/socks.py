"""Connecting through a SOCKS proxy.

Implemented here, because `socksio` would be a dependency for forty lines of code.

Source: RFC 1928 (version 5), RFC 1929 (user and password).
"""

from __future__ import annotations

import ipaddress
from base64 import b64decode
from typing import Final

from llmstream.errors import ConfigError, ConnectionFailed
from llmstream.transport.http.channels import Channel
from llmstream.transport.http.connect import ConnectLimit, Wait, Waiting
from llmstream.transport.http.errors import proxy_wants_a_password, reason
from llmstream.transport.http.pool import Key
from llmstream.transport.http.proxies import Proxy

_SAID: Final = {
    1: "general failure", 2: "not allowed by its rules", 3: "network unreachable", 4: "host unreachable",
    5: "connection refused", 6: "TTL expired", 7: "command not supported", 8: "address type not supported",
}  # fmt: skip
_ADDRESS_BYTES: Final = {1: 4, 4: 16}
_LONGEST: Final = 255


def through_socks(channel: Channel, proxy: Proxy, key: Key, limit: ConnectLimit) -> Waiting[None]:
    """Have a SOCKS proxy connect to a key's server; the proxy looks up the name.

    Raises:
        ConfigError: the user or the password is too long for SOCKS.
        ConnectionFailed: the proxy refused or failed to connect.
        TimeLimitPassed: the limit passed.
    """
    try:
        yield from _agreed(channel, proxy, limit)
        port = key.port.to_bytes(2, "big")
        _say(channel, b"\x05\x01\x00" + _address(key.host) + port)
        _, status, _, kind = yield from _heard(channel, 4, limit)
        size = _ADDRESS_BYTES.get(kind) or (yield from _heard(channel, 1, limit))[0]
        yield from _heard(channel, size + 2, limit)
    except OSError as error:
        raise _refused(proxy, reason(error)) from error
    if status:
        raise _refused(proxy, _SAID.get(status, f"code {status}"))


def _agreed(channel: Channel, proxy: Proxy, limit: ConnectLimit) -> Waiting[None]:
    """Negotiate an authentication method, and authenticate."""
    user = proxy.address.user
    _say(channel, b"\x05\x02\x00\x02" if user else b"\x05\x01\x00")
    version, method = yield from _heard(channel, 2, limit)
    if version != 5:
        raise _refused(proxy, "it does not speak SOCKS 5")
    if method == 2 and user:
        name, _, password = b64decode(user.removeprefix("Basic ")).partition(b":")
        if max(len(name), len(password)) > _LONGEST:
            raise ConfigError(
                f"{proxy.name} can't be used: SOCKS allows at most {_LONGEST} bytes for a user or a password",
                hint=f"correct {proxy.origin}",
            )
        _say(channel, b"\x01" + bytes([len(name)]) + name + bytes([len(password)]) + password)
        method = (yield from _heard(channel, 2, limit))[1]
    if method:
        raise proxy_wants_a_password(proxy)


def _address(host: str) -> bytes:
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("ascii")
        return b"\x03" + bytes([len(name)]) + name
    return (b"\x01" if number.version == 4 else b"\x04") + number.packed


def _say(channel: Channel, data: bytes) -> None:
    # a new connection accepts these few bytes at once
    channel.send(memoryview(data))


def _heard(channel: Channel, count: int, limit: ConnectLimit) -> Waiting[bytes]:
    """Return exactly `count` bytes; the following ones may already be the server's."""
    heard = b""
    while len(heard) < count:
        data = channel.receive(count - len(heard))
        if data is None:
            yield Wait((channel.sock,), seconds=limit.slice())
        elif data:
            heard += data
        else:
            raise ConnectionResetError(0, "it closed the connection")
    return heard


def _refused(proxy: Proxy, why: str) -> ConnectionFailed:
    return ConnectionFailed(
        f"{proxy.name} did not open a connection: {why}", hint=f"check {proxy.origin}", phase="connect"
    )
