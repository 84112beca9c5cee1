"""The two loops that run a conversation; they decide nothing.

Each takes the steps of a conversation and a transport, has the transport carry out the effects,
and yields the batches.  Leaving one early closes the transport and so the connection.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Protocol

from llmstream.engine.effects import Batch, Effect, Reply, Steps
from llmstream.errors import LLMStreamError


class Transport(Protocol):
    """Carries effects out, one after the other."""

    def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return what it brought, or raise an LLMStreamError."""
        ...

    def close(self) -> None:
        """Give up whatever is open; may be called again."""
        ...


class AsyncTransport(Protocol):
    """The same for async."""

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return what it brought, or raise an LLMStreamError."""
        ...

    async def aclose(self) -> None:
        """Give up whatever is open; may be called again."""
        ...


def drive(steps: Steps, transport: Transport) -> Generator[Batch, None, None]:
    """Yield a conversation's batches, carrying its effects out on a transport."""
    perform, send = transport.perform, steps.send
    try:
        step = next(steps)
        while True:
            if type(step) is list:
                yield step
                step = send(None)
                continue
            try:
                reply = perform(step)  # type: ignore[arg-type]  # no list: an effect
            except LLMStreamError as error:
                step = steps.throw(error)
            else:
                step = send(reply)
    except StopIteration:
        return
    finally:
        # now, and not when nobody holds them any more: a recording ends with them
        steps.close()
        transport.close()


async def adrive(steps: Steps, transport: AsyncTransport) -> AsyncGenerator[Batch, None]:
    """Yield a conversation's batches, carrying its effects out on an async transport."""
    perform, send = transport.perform, steps.send
    try:
        step = next(steps)
        while True:
            if type(step) is list:
                yield step
                step = send(None)
                continue
            try:
                reply = await perform(step)  # type: ignore[arg-type]  # no list: an effect
            except LLMStreamError as error:
                step = steps.throw(error)
            else:
                step = send(reply)
    except StopIteration:
        return
    finally:
        steps.close()
        await transport.aclose()
