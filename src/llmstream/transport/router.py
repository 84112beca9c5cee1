"""Sends each effect to the transport that its call's route names: sockets, a process, an object.

A run may go from one kind to another when it falls back; opening a request says which comes next.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from llmstream.engine.effects import Call, Effect, Open, Prepare, Reply, Sleep
from llmstream.transport.drivers import AsyncTransport, Transport


@runtime_checkable
class Route(Protocol):
    """A route that brings its own transports, made when a request takes it."""

    def transport(self) -> Transport:
        """Return a transport for a blocking run."""
        ...

    def async_transport(self) -> AsyncTransport:
        """Return a transport for the running event loop."""
        ...


class Router:
    """A transport that hands over to others.

    Args:
        http: makes the one for routes that bring none of their own.
    """

    def __init__(self, http: Callable[[], Transport]) -> None:
        self._http = http
        self._current: Transport | None = None

    def perform(self, effect: Effect) -> Reply:
        """Carry out one effect."""
        if type(effect) is Prepare:
            call: Call = effect.make()
            return call
        if type(effect) is Sleep:
            time.sleep(effect.seconds)
            return None
        if isinstance(effect, Open):
            self.close()
            self._current = effect.route.transport() if isinstance(effect.route, Route) else self._http()
        return self._current.perform(effect) if self._current is not None else None

    def close(self) -> None:
        """Close the transport in use."""
        current, self._current = self._current, None
        if current is not None:
            current.close()


class AsyncRouter:
    """The same for async."""

    def __init__(self, http: Callable[[], AsyncTransport]) -> None:
        self._http = http
        self._current: AsyncTransport | None = None

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect."""
        import asyncio

        if type(effect) is Prepare:
            call: Call = await asyncio.to_thread(effect.make) if effect.slow else effect.make()
            return call
        if type(effect) is Sleep:
            await asyncio.sleep(effect.seconds)
            return None
        if isinstance(effect, Open):
            await self.aclose()
            self._current = (
                effect.route.async_transport() if isinstance(effect.route, Route) else self._http()
            )
        return await self._current.perform(effect) if self._current is not None else None

    async def aclose(self) -> None:
        """Close the transport in use."""
        current, self._current = self._current, None
        if current is not None:
            await current.aclose()
