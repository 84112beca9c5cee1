"""Effects on blocking sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator

from llmstream.engine.effects import NEVER, Call, Effect, Head, Open, Prepare, Read, Reply, Sleep
from llmstream.errors import StreamEndedEarly
from llmstream.transport.http.common import (
    DEFAULT_HEADERS,
    DIRECT,
    FAULTS,
    Connection,
    body_ended,
    head_of,
    no_cookies,
    opening_error,
    proxies,
    reading_error,
    request_of,
    signed,
    socket_of,
    traced_socket,
    trust,
)
from llmstream.transport.http.quick_httpx import httpx
from llmstream.transport.watchdog import Watchdog
from llmstream.wire.inflate import Inflater


class Clients:
    """Clients by route, made when they are first needed; one for each, to be shared by many runs.

    Args:
        keep_alive: whether connections are kept for the next request.
    """

    def __init__(self, *, keep_alive: bool) -> None:
        self._keep_alive = keep_alive
        self._clients: dict[object, httpx.Client] = {}

    def at(self, route: Connection, url: str) -> httpx.Client:
        """Return a client for an address; it neither follows redirects nor keeps cookies."""
        https = url.startswith("https:")
        key = (route, https)
        if key not in self._clients:
            with proxies():
                self._clients[key] = httpx.Client(
                    verify=trust(route, https=https),
                    proxy=route.proxy,
                    headers=DEFAULT_HEADERS,
                    cookies=no_cookies(),
                    limits=httpx.Limits(max_keepalive_connections=None if self._keep_alive else 0),
                    follow_redirects=False,
                    timeout=None,
                )
        return self._clients[key]

    def close(self) -> None:
        """Close all connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()


class HttpTransport:
    """Carries out one run's effects.

    Args:
        clients: to share, not closed here; None for some of its own.
    """

    def __init__(self, clients: Clients | None = None) -> None:
        self._clients = clients or Clients(keep_alive=False)
        self._shared = clients is not None
        self._response: httpx.Response | None = None
        self._body: Iterator[bytes] = iter(())
        self._watchdog = Watchdog()

    def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return what it brought.

        Raises:
            LLMStreamError: what went wrong, without naming the provider.
        """
        if type(effect) is not Read:
            return self._carried_out(effect)
        # the way of every token, hence without one more call
        watchdog = self._watchdog
        watchdog.arm(effect.deadline)
        try:
            data = next(self._body, b"")
        except FAULTS as error:
            raise reading_error(error, watchdog.expired) from error
        except StreamEndedEarly:
            body_ended(watchdog.expired)
            raise
        finally:
            watchdog.deadline = NEVER
        return data or body_ended(watchdog.expired)

    def _carried_out(self, effect: Effect) -> Reply:
        if isinstance(effect, Open):
            return self._open(effect)
        if isinstance(effect, Prepare):
            call: Call = effect.make()
            return call
        if isinstance(effect, Sleep):
            time.sleep(effect.seconds)
        else:
            self._drop()
        return None

    def close(self) -> None:
        """Give up whatever is open."""
        self._drop()
        self._watchdog.stop()
        if not self._shared:
            self._clients.close()

    def _drop(self) -> None:
        response, self._response, self._body = self._response, None, iter(())
        if response is not None:
            response.close()

    def _trace(self, name: str, info: dict[str, object]) -> None:
        found = traced_socket(name, info)
        if found is not None:
            self._watchdog.watch(found)

    def _open(self, effect: Open) -> Head:
        self._drop()
        self._watchdog.expired = False
        route = effect.route if isinstance(effect.route, Connection) else DIRECT
        client = self._clients.at(route, effect.request.url)
        request = request_of(client, signed(effect, route), self._trace)
        self._watchdog.arm(effect.deadline)
        try:
            response = client.send(request, stream=True)
        except FAULTS as error:
            raise opening_error(error, self._watchdog.expired) from error
        finally:
            self._watchdog.deadline = NEVER
        self._response = response
        self._watchdog.connection = socket_of(response.extensions.get("network_stream"))
        head = head_of(response)
        encoding = head.headers.get("content-encoding", "")
        body = iter(response.stream)  # type: ignore[arg-type]  # of a sync client
        self._body = _inflated(body, Inflater(encoding)) if encoding else body
        return head


def _inflated(body: Iterator[bytes], inflater: Inflater) -> Iterator[bytes]:
    for data in body:
        yield from inflater.feed(data)
    inflater.close()
