"""Effects on an event loop's sockets; the same as http_sync, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

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
from llmstream.transport.watchdog import STANDSTILL, TICK, Shuttable, shut_down
from llmstream.wire.inflate import Inflater


class AsyncClients:
    """Clients by route, made when they are first needed; one for each, to be shared by many runs.

    Args:
        keep_alive: whether connections are kept for the next request.
    """

    def __init__(self, *, keep_alive: bool) -> None:
        self._keep_alive = keep_alive
        self._clients: dict[object, httpx.AsyncClient] = {}

    def at(self, route: Connection, url: str) -> httpx.AsyncClient:
        """Return a client for an address; it neither follows redirects nor keeps cookies."""
        https = url.startswith("https:")
        key = (route, https)
        if key not in self._clients:
            with proxies():
                self._clients[key] = httpx.AsyncClient(
                    verify=trust(route, https=https),
                    proxy=route.proxy,
                    headers=DEFAULT_HEADERS,
                    cookies=no_cookies(),
                    limits=httpx.Limits(max_keepalive_connections=None if self._keep_alive else 0),
                    follow_redirects=False,
                    timeout=None,
                )
        return self._clients[key]

    async def aclose(self) -> None:
        """Close all connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


class LoopWatchdog:
    """The watchdog's deadlines as one timer of the running loop, re-armed only when it fires."""

    def __init__(self) -> None:
        self.expired = False
        self.connection: Shuttable | None = None
        self.deadline = NEVER
        self.wakes_at = NEVER
        self._given = NEVER
        self._stood = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def arm(self, deadline: float) -> None:
        """Set the deadline of the wait that follows, as the thread's does."""
        if deadline != self._given:
            self._given, self._stood = deadline, 0.0
        self.deadline = deadline + self._stood
        if self.deadline < self.wakes_at:
            self.schedule()

    def watch(self, connection: Shuttable) -> None:
        """Watch a socket; one that comes when the deadline has passed already is shut down at once."""
        self.connection = connection
        if self.expired:
            shut_down(connection)

    def stop(self) -> None:
        """End the timer."""
        self.deadline = NEVER
        self.connection = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def schedule(self) -> None:
        """Have the timer look at the deadline when it passes, or after a tick."""
        if self._timer is not None:
            self._timer.cancel()
        self.wakes_at = min(self.deadline, self._loop.time() + TICK)
        self._timer = self._loop.call_at(self.wakes_at, self._fire)

    def _fire(self) -> None:
        now = self._loop.time()
        if now - self.wakes_at > STANDSTILL:
            self.deadline += now - self.wakes_at
            self._stood += now - self.wakes_at
        if now >= self.deadline:
            self.expired = True
            shut_down(self.connection)
            self.deadline = NEVER
        self._timer, self.wakes_at = None, NEVER
        self.schedule()


class AsyncHttpTransport:
    """Carries out one run's effects.

    Args:
        clients: to share, not closed here; None for some of its own.
    """

    def __init__(self, clients: AsyncClients | None = None) -> None:
        self._clients = clients or AsyncClients(keep_alive=False)
        self._shared = clients is not None
        self._response: httpx.Response | None = None
        self._body: AsyncIterator[bytes] | None = None
        self._watchdog = LoopWatchdog()

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return what it brought.

        Raises:
            LLMStreamError: what went wrong, without naming the provider.
        """
        kind = type(effect)
        if kind is Read:
            return await self._read(effect.deadline)  # type: ignore[union-attr]  # kind says it
        if kind is Open:
            return await self._open(effect)  # type: ignore[arg-type]
        if kind is Sleep:
            await asyncio.sleep(effect.seconds)  # type: ignore[union-attr]
        elif kind is Prepare:
            make = effect.make  # type: ignore[union-attr]
            call: Call = await asyncio.to_thread(make) if effect.slow else make()  # type: ignore[union-attr]
            return call
        else:
            await asyncio.shield(self._drop())
        return None

    async def aclose(self) -> None:
        """Give up whatever is open."""
        self._watchdog.stop()
        # a task may be cancelled while it closes, and httpx then leaves the connection open for good
        await asyncio.shield(self._close())

    async def _close(self) -> None:
        await self._drop()
        if not self._shared:
            await self._clients.aclose()

    async def _drop(self) -> None:
        response, self._response, self._body = self._response, None, None
        if response is not None:
            await response.aclose()

    async def _trace(self, name: str, info: dict[str, object]) -> None:
        found = traced_socket(name, info)
        if found is not None:
            self._watchdog.watch(found)

    async def _open(self, effect: Open) -> Head:
        await self._drop()
        self._watchdog.expired = False
        route = effect.route if isinstance(effect.route, Connection) else DIRECT
        client = self._clients.at(route, effect.request.url)
        if route.aws_region:
            # it may read files and ask AWS
            effect = await asyncio.to_thread(signed, effect, route)
        request = request_of(client, effect, self._trace)
        self._watchdog.arm(effect.deadline)
        try:
            response = await client.send(request, stream=True)
        except FAULTS as error:
            raise opening_error(error, self._watchdog.expired) from error
        finally:
            self._watchdog.deadline = NEVER
        self._response = response
        self._watchdog.connection = socket_of(response.extensions.get("network_stream"))
        head = head_of(response)
        encoding = head.headers.get("content-encoding", "")
        body = aiter(response.stream)  # type: ignore[arg-type]  # of an async client
        self._body = _inflated(body, Inflater(encoding)) if encoding else body
        return head

    async def _read(self, deadline: float) -> bytes:
        watchdog = self._watchdog
        watchdog.arm(deadline)
        assert self._body is not None
        try:
            data = await self._body.__anext__()
        except StopAsyncIteration:
            data = b""
        except FAULTS as error:
            raise reading_error(error, watchdog.expired) from error
        except StreamEndedEarly:
            body_ended(watchdog.expired)
            raise
        finally:
            watchdog.deadline = NEVER
        return data or body_ended(watchdog.expired)


async def _inflated(body: AsyncIterator[bytes], inflater: Inflater) -> AsyncIterator[bytes]:
    async for data in body:
        for piece in inflater.feed(data):
            yield piece
    inflater.close()
