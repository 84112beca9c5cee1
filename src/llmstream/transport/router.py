"""Passes each effect to the transport of the call's route: sockets, a process or an object.

A run may change from one to another when it falls back; each Open contains the route to use from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from llmstream.engine.effects import Effect, Open, Reply
from llmstream.transport.drivers import AsyncTransport, Transport


@runtime_checkable
class Route(Protocol):
    """A route with its own transport, of which one is made for each request."""

    def transport(self) -> Transport:
        """Return a transport for a blocking run."""
        ...

    def async_transport(self) -> AsyncTransport:
        """Return a transport for the running event loop."""
        ...


class Router:
    """A transport that delegates to others, to a new one for each request.

    Args:
        http: makes the transport for routes without their own.
    """

    def __init__(self, http: Callable[[], Transport]) -> None:
        self._http = http
        self._current: Transport | None = None
        self._stopped = False

    def perform(self, effect: Effect) -> Reply:
        """Carry out one effect."""
        if isinstance(effect, Open):
            self.close()
            self._current = current = (
                effect.route.transport() if isinstance(effect.route, Route) else self._http()
            )
            if self._stopped:
                current.stop()
        return self._current.perform(effect) if self._current is not None else None

    def stop(self) -> None:
        """End the current wait and every later one at once."""
        self._stopped = True
        current = self._current
        if current is not None:
            current.stop()

    def close(self) -> None:
        """Close the transport in use."""
        current, self._current = self._current, None
        if current is not None:
            current.close()


class AsyncRouter:
    """The async counterpart of `Router`."""

    def __init__(self, http: Callable[[], AsyncTransport]) -> None:
        self._http = http
        self._current: AsyncTransport | None = None
        self._stopped = False

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect."""
        if isinstance(effect, Open):
            await self.aclose()
            self._current = current = (
                effect.route.async_transport() if isinstance(effect.route, Route) else self._http()
            )
            if self._stopped:
                current.stop()
        return await self._current.perform(effect) if self._current is not None else None

    def stop(self) -> None:
        """End the current wait and every later one at once."""
        self._stopped = True
        current = self._current
        if current is not None:
            current.stop()

    async def aclose(self) -> None:
        """Close the transport in use."""
        current, self._current = self._current, None
        if current is not None:
            await current.aclose()
