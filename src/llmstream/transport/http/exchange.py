"""One request and its response, written once for both engines: a generator that yields what it waits for.

Our own instead of httpx to save CPU: 195 µs per answer against 595, 7.6 µs per token against 15.4.

The server may have closed a kept connection in the meantime.  If not a single byte of a response arrives on
it, the request is sent again on a new connection; this does not count as a retry.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from llmstream.engine.effects import Open
from llmstream.errors import ConnectionFailed
from llmstream.record import Record
from llmstream.transport.http.address import Address, address_of
from llmstream.transport.http.answer import Answer
from llmstream.transport.http.channels import Channel
from llmstream.transport.http.common import Connection
from llmstream.transport.http.connect import ConnectLimit, Wait, Waiting, connected
from llmstream.transport.http.errors import (
    IssuerUnknown,
    opening_error,
    proxy_wants_a_password,
    refused_by_proxy,
)
from llmstream.transport.http.parser import NotHttp, Parser
from llmstream.transport.http.pool import Key, Link
from llmstream.transport.http.proxies import Proxy, proxy_for
from llmstream.transport.http.request import request_bytes
from llmstream.transport.http.sent import sent

Hold = Callable[[Channel], None]
"""Called with the channel in use, so that closing the run can shut it down."""
Take = Callable[[Key], Link | None]
"""Returns a kept connection for a key, None if there is none."""


class Way(Record):
    """How a request gets to its destination.

    Args:
        to: its URL.
        forwarded: the proxy that forwards the request, None if the server itself gets it, maybe by a tunnel.
        key: identifies the connections that can be used.
    """

    to: Address
    forwarded: Proxy | None
    key: Key


def way_to(url: str, route: Connection) -> Way:
    """Return the way to a URL in the current environment.

    Raises:
        ConfigError: the address or the proxy can't be used.
    """
    to = address_of(url)
    proxy = proxy_for(to, route.proxy)
    forwarded = proxy if proxy and to.scheme == "http" and proxy.address.scheme in ("http", "https") else None
    trusted = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    key = Key(to.scheme, to.host, to.port, proxy, route.ca_file, route.client_cert, trusted)
    return Way(to, forwarded, key)


def exchanged(effect: Open, way: Way, take: Take, hold: Hold) -> Waiting[Answer]:
    """Send a request and return the response once its head has arrived.

    Raises:
        BadMessage: the body is compressed in an unsupported way.
        ConfigError: a certificate or a header can't be used.
        ConnectionFailed: no response arrived.
        TimeLimitPassed: no connection in time.
    """
    forwarded, key = way.forwarded, way.key
    data = memoryview(request_bytes(effect.request, way.to, forwarded))
    link = take(key)
    if link is not None:
        answer = yield from _asked_again(link, data, effect, hold)
        if answer is not None:
            return answer
    channel = yield from _linked(key, ConnectLimit(effect.connect), hold)
    answer = Answer(Link(key, channel))
    try:
        yield from _asked(answer, data, effect)
    except (OSError, NotHttp) as error:
        answer.link.close()
        raise opening_error(error) from error
    except BaseException:
        answer.link.close()
        raise
    if forwarded is not None and refused_by_proxy(forwarded, answer.parser):
        answer.link.close()
        raise proxy_wants_a_password(forwarded, answer.parser.status)
    return answer


def _asked_again(link: Link, data: memoryview, effect: Open, hold: Hold) -> Waiting[Answer | None]:
    """Return the response on a kept connection, None if that turns out to be closed."""
    answer = Answer(link)
    hold(link.channel)
    try:
        yield from _asked(answer, data, effect)
    except (OSError, NotHttp) as error:
        link.close()
        if answer.parser.began:
            raise opening_error(error) from error
        return None
    except BaseException:
        link.close()
        raise
    return answer


def _asked(answer: Answer, data: memoryview, effect: Open) -> Waiting[None]:
    """Send a request and wait for the head of the response."""
    channel, failure = answer.link.channel, None
    try:
        yield from _sent(channel, data)
    except OSError as error:
        # a server may refuse a request and close before it has read everything: its response still counts
        failure = error
    sent(effect.request.framing)
    wait = Wait((channel.sock,), head=True)
    try:
        while not answer.headed:
            if not answer.pull_head():
                yield wait
    except (OSError, NotHttp) as error:
        raise (failure or error) from error
    answer.begin()


def _sent(channel: Channel, data: memoryview) -> Waiting[None]:
    wait = Wait((channel.sock,), writing=True)
    while data:
        taken = channel.send(data)
        if taken:
            data = data[taken:]
        else:
            yield wait
    while not channel.flush():
        yield wait


def _linked(key: Key, limit: ConnectLimit, hold: Hold) -> Waiting[Channel]:
    """Return a new connection for a key."""
    try:
        return (yield from _linked_once(key, limit, hold, whole=False))
    except IssuerUnknown:
        return (yield from _linked_once(key, limit, hold, whole=True))


def _linked_once(key: Key, limit: ConnectLimit, hold: Hold, *, whole: bool) -> Waiting[Channel]:
    proxy = key.proxy
    if key.scheme == "https":
        # to report an unusable file before connecting
        from llmstream.transport.http.tls import trust

        trust(key.ca_file, key.client_cert, whole=whole)
    if proxy is None:
        channel = Channel((yield from connected(key.host, key.port, limit)))
    else:
        channel = yield from _proxied(key, proxy, limit, hold, whole=whole)
    hold(channel)
    if key.scheme != "https":
        return channel
    return (yield from _encrypted(channel, key, key.host, limit, hold, who="the server", whole=whole))


def _encrypted(
    channel: Channel, key: Key, host: str, limit: ConnectLimit, hold: Hold, *, who: str, whole: bool
) -> Waiting[Channel]:
    from llmstream.transport.http.tls import trust
    from llmstream.transport.http.tls_channel import TlsChannel, secured

    try:
        encrypted = TlsChannel(channel, trust(key.ca_file, key.client_cert, whole=whole), host)
        hold(encrypted)
        yield from secured(encrypted, limit, who=who, last=whole)
    except BaseException:
        channel.close()
        raise
    return encrypted


def _proxied(key: Key, proxy: Proxy, limit: ConnectLimit, hold: Hold, *, whole: bool) -> Waiting[Channel]:
    """Return a connection through a proxy, or to one that forwards requests."""
    there = proxy.address
    try:
        channel = Channel((yield from connected(there.host, there.port, limit)))
    except ConnectionFailed as error:
        said = error.message.removeprefix("no connection: ")
        raise ConnectionFailed(
            f"{proxy.name} can't be reached: {said}", hint=f"check {proxy.origin}", phase="connect"
        ) from error.__cause__
    hold(channel)
    try:
        if there.scheme == "https":
            channel = yield from _encrypted(
                channel, key, there.host, limit, hold, who=proxy.name, whole=whole
            )
        if there.scheme.startswith("socks"):
            from llmstream.transport.http.socks import through_socks

            yield from through_socks(channel, proxy, key, limit)
        elif key.scheme == "https":
            yield from _tunnelled(channel, proxy, key, limit)
    except BaseException:
        channel.close()
        raise
    return channel


def _tunnelled(channel: Channel, proxy: Proxy, key: Key, limit: ConnectLimit) -> Waiting[None]:
    """Have a proxy open a tunnel to the server.  Source: RFC 9110, section 9.3.6 (CONNECT)."""
    place = Address(key.scheme, key.host, key.port, "").authority
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.address.user:
        lines.append(f"Proxy-Authorization: {proxy.address.user}")
    parser = Parser(tunnel=True)
    try:
        yield from _sent(channel, memoryview("\r\n".join([*lines, "", ""]).encode("ascii")))
        while parser.status < 200:
            data = channel.receive()
            if data is None:
                yield Wait((channel.sock,), seconds=limit.slice())
            elif data:
                parser.feed(data)
            else:
                parser.close()
    except (OSError, NotHttp) as error:
        raise ConnectionFailed(
            f"{proxy.name} did not open a connection: {error}", hint=f"check {proxy.origin}", phase="connect"
        ) from error
    if parser.status in (401, 407):
        raise proxy_wants_a_password(proxy, parser.status)
    if parser.status >= 300:
        raise ConnectionFailed(
            f"{proxy.name} refused the connection: {parser.status} {parser.reason}".rstrip(),
            hint=f"check {proxy.origin}",
            phase="connect",
            # other refusals would be repeated
            retryable=parser.status >= 500 or parser.status in (408, 429),
        )
