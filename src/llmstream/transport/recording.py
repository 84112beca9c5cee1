"""A transport that passes everything on to another one and writes down what that brings."""

from __future__ import annotations

import sys

from llmstream.engine.effects import Effect, Reply
from llmstream.errors import LLMStreamError
from llmstream.transport.drivers import AsyncTransport, Transport
from llmstream.transport.tape.writer import Recording


class Recorder:
    """Carries one run's effects out on another transport, and records it.

    Args:
        inner: the other transport.
        recording: the file; closed with this.
    """

    def __init__(self, inner: Transport, recording: Recording) -> None:
        self._inner = inner
        self._recording = recording

    def perform(self, effect: Effect) -> Reply:
        """Carry out one effect, and write down what it brought."""
        self._recording.before(effect)
        try:
            reply = self._inner.perform(effect)
        except LLMStreamError as error:
            self._recording.failed(effect, error)
            raise
        except BaseException:
            self._recording.stopped()
            raise
        self._recording.after(effect, reply)
        return reply

    def close(self) -> None:
        """Close the other transport and the file."""
        if _left_early():
            self._recording.stopped()
        try:
            self._inner.close()
        finally:
            self._recording.close()


class AsyncRecorder:
    """The same for async.

    Args:
        inner: the other transport.
        recording: the file; closed with this.
    """

    def __init__(self, inner: AsyncTransport, recording: Recording) -> None:
        self._inner = inner
        self._recording = recording

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect, and write down what it brought."""
        self._recording.before(effect)
        try:
            reply = await self._inner.perform(effect)
        except LLMStreamError as error:
            self._recording.failed(effect, error)
            raise
        except BaseException:
            self._recording.stopped()
            raise
        self._recording.after(effect, reply)
        return reply

    async def aclose(self) -> None:
        """Close the other transport and the file."""
        if _left_early():
            self._recording.stopped()
        try:
            await self._inner.aclose()
        finally:
            self._recording.close()


def _left_early() -> bool:
    """Return whether whoever took the answer has left it: its driver is being closed, not at its end."""
    return isinstance(sys.exception(), GeneratorExit)
