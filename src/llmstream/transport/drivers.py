"""The driver that carries out a conversation on a thread, and what it shares with the async driver.

The drivers decide nothing (async_driver.py has the other one).  Each takes the steps of a conversation and
a transport, has the transport carry out the effects, and yields the batches.  Preparing a call and waiting
for the next attempt need no transport; the drivers do both themselves.

A run can be closed at any time: by its reader, by another thread or task while a read waits, or by the
garbage collector.  Closing ends the current wait and its connection, and the reader sees the run end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Final, Protocol

from llmstream.engine.effects import Batch, Call, Effect, Keep, Prepare, Read, Reply, Sleep, Steps
from llmstream.errors import Cancelled, LLMStreamError

KEEP: Final = Keep()
"""The effect given to a transport when a conversation has reached its end."""


class Transport(Protocol):
    """Carries out effects one at a time: Open, Read, Keep and Close."""

    def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return its result, or raise an LLMStreamError."""
        ...

    def stop(self) -> None:
        """End the current wait and every later one at once; from any thread, may be called again."""
        ...

    def close(self) -> None:
        """Close whatever is open; may be called again, but not while an effect is being carried out."""
        ...


class AsyncTransport(Protocol):
    """The async counterpart of `Transport`."""

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return its result, or raise an LLMStreamError."""
        ...

    def stop(self) -> None:
        """End the current wait and every later one at once; from any thread, may be called again."""
        ...

    async def aclose(self) -> None:
        """Close whatever is open; may be called again."""
        ...


class Run(Iterator[Batch]):
    """A conversation's batches, as they arrive.

    Args:
        steps: the conversation.
        transport: carries its effects out; closed with the run.
    """

    def __init__(self, steps: Steps, transport: Transport) -> None:
        self._steps = steps
        self._transport = transport
        self._reading = threading.Lock()
        self._pause: threading.Event | None = None
        self._closing = False
        self._ended = False

    @property
    def closed(self) -> bool:
        """Whether the run was closed, perhaps before its end."""
        return self._closing

    def __next__(self) -> Batch:
        self._reading.acquire()
        try:
            if self._ended or self._closing:
                raise StopIteration
            return self._next()
        except StopIteration:
            self._end(keep=not self._closing)
            raise
        except BaseException as error:
            self._end()
            if self._closing and isinstance(error, LLMStreamError):
                raise StopIteration from None
            raise
        finally:
            self._reading.release()
            if self._closing and not self._ended:
                self.close()

    def _next(self) -> Batch:
        steps, perform = self._steps, self._transport.perform
        step = steps.send(None)
        while type(step) is not list:
            try:
                # Read is tested first: every token takes this path
                reply = perform(step) if type(step) is Read else self._carried_out(step)  # type: ignore[arg-type]
            except LLMStreamError as error:
                step = steps.throw(error)
            else:
                step = steps.send(reply)
        return step

    def _carried_out(self, effect: Effect) -> Reply:
        if isinstance(effect, Prepare):
            call: Call = effect.make()
            return call
        if isinstance(effect, Sleep):
            self._pause = pause = threading.Event()
            if self._closing or pause.wait(effect.seconds):
                raise Cancelled("the answer was closed")
            return None
        return self._transport.perform(effect)

    def close(self) -> None:
        """End the run and its connection; from any thread; may be called again."""
        self._closing = True
        if self._ended:
            return
        self._transport.stop()
        if self._pause is not None:
            self._pause.set()
        # if another thread is reading, it ends the run
        if self._reading.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._reading.release()

    def _end(self, *, keep: bool = False) -> None:
        if self._ended:
            return
        self._ended = True
        try:
            self._steps.close()
            if keep:
                self._transport.perform(KEEP)
        finally:
            self._transport.close()

    def __del__(self) -> None:
        self.close()
