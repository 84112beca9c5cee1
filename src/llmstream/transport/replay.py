"""Replays a recorded answer: a transport that reads a recording instead of a socket.

Each line is due at its recorded time, counted from the first request and divided by the speed, so that a
delay in one place doesn't delay the rest.  Time limits don't apply: the replay repeats what happened.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from copy import copy

from llmstream.engine.effects import Effect, Head, Open, Read, Reply
from llmstream.errors import Cancelled, LLMStreamError, StreamBroken
from llmstream.transport.drivers import AsyncTransport, Transport
from llmstream.transport.tape.entries import Attempt, RecordedCall

NO_HEAD = Head(200, {})
"""The head of an answer recorded without one, which a process or an object gave."""


class Replay:
    """A run's position in its recording, shared by all its calls.

    Args:
        speed: the factor by which to replay faster, above 0; infinity means without waiting.

    `playing` is false while the run uses a model that isn't recorded; `now` is the recorded time of the
    latest head, read or end, in seconds from the first request.
    """

    def __init__(self, speed: float) -> None:
        self.playing = False
        self.now = 0.0
        self._speed = speed
        self._began: float | None = None
        self._attempts: list[Attempt] = []
        self._attempt: Attempt | None = None
        self._reads: Iterator[tuple[float, bytes]] = iter(())

    def call(self, call: RecordedCall) -> None:
        """Make the first attempt of `call` the next one."""
        self.playing = True
        self._attempts = call.attempts[::-1]

    @property
    def wait_before_next(self) -> float | None:
        """Seconds that the run waited before the next attempt, None if not recorded."""
        return self._attempts[-1].wait if self._attempts else None

    @property
    def damage(self) -> LLMStreamError | None:
        """The error for a damaged line in or after the current attempt, None if there is none."""
        return self._attempt.damage if self.playing and self._attempt else None

    def due(self, at: float) -> float:
        """Return the seconds to wait for what was recorded `at` seconds after the first request."""
        self.now = max(self.now, at)
        if self._began is None:
            self._began = time.monotonic()
        return 0.0 if math.isinf(self._speed) else self._began + at / self._speed - time.monotonic()

    def open(self) -> float:
        """Go to the next attempt and return the recorded time of its head.

        Without a head, that is the time of its request, or of its end if it has no reads.

        Raises:
            LLMStreamError: there is no further attempt; the error is the one that stopped the run there, if
                recorded.
        """
        if not self._attempts:
            stopped = self._attempt.stopped if self._attempt else None
            raise copy(stopped) if stopped else _breaks_off()
        attempt = self._attempts.pop()
        self._attempt, self._reads = attempt, iter(attempt.reads)
        if attempt.head is not None:
            return attempt.head_at
        return attempt.ended_at if not attempt.reads else attempt.began or 0.0

    def head(self) -> Head:
        """Return the attempt's head, `NO_HEAD` for an answer without one.

        Raises:
            LLMStreamError: the error recorded instead.
        """
        attempt = self._attempt
        assert attempt is not None
        if attempt.head is not None:
            return attempt.head
        if not attempt.reads and attempt.error is not None:
            raise copy(attempt.error)
        return NO_HEAD

    def read(self) -> tuple[float, bytes]:
        """Return the time and the bytes of the next read, ``b""`` at the answer's end."""
        attempt = self._attempt
        assert attempt is not None
        return next(self._reads, (attempt.ended_at, b""))

    def end(self) -> bytes:
        """Return ``b""``, the mark of the answer's end.

        Raises:
            LLMStreamError: the error that ended the answer.
            StreamBroken: the recording breaks off.
        """
        attempt = self._attempt
        assert attempt is not None
        if attempt.error is not None:
            raise copy(attempt.error)
        if not attempt.ended:
            raise _breaks_off()
        return b""


class ReplayRoute:
    """The route to a recorded answer.

    Args:
        replay: the run's position in the recording.
    """

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    def transport(self) -> Transport:
        """Return a transport for a blocking run."""
        return ReplayTransport(self._replay)

    def async_transport(self) -> AsyncTransport:
        """Return a transport for the running event loop."""
        return AsyncReplayTransport(self._replay)


class ReplayTransport:
    """Carries out one request's effects from a recording, blocking.

    Args:
        replay: the run's position in the recording.
    """

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._stopped = threading.Event()

    def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return its result.

        Raises:
            LLMStreamError: the error recorded here.
        """
        replay = self._replay
        if isinstance(effect, Read):
            at, data = replay.read()
            self._wait(at)
            return data or replay.end()
        if isinstance(effect, Open):
            self._wait(replay.open())
            return replay.head()
        return None

    def stop(self) -> None:
        """End the current wait and every later one at once."""
        self._stopped.set()

    def close(self) -> None:
        """Do nothing, because the file is not kept open."""

    def _wait(self, at: float) -> None:
        seconds = self._replay.due(at)
        if self._stopped.wait(seconds) if seconds > 0 else self._stopped.is_set():
            raise Cancelled("the answer was closed")


class AsyncReplayTransport:
    """Carries out one request's effects from a recording, on the running event loop.

    Args:
        replay: the run's position in the recording.
    """

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._stopped = False
        self._waiting: asyncio.Future[None] | None = None

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return its result.

        Raises:
            LLMStreamError: the error recorded here.
        """
        replay = self._replay
        if isinstance(effect, Read):
            at, data = replay.read()
            await self._wait(at)
            return data or replay.end()
        if isinstance(effect, Open):
            await self._wait(replay.open())
            return replay.head()
        return None

    def stop(self) -> None:
        """End the current wait and every later one at once."""
        self._stopped = True
        waiting = self._waiting
        if waiting is not None:
            with suppress(RuntimeError):  # its loop is closed
                waiting.get_loop().call_soon_threadsafe(_wake, waiting)

    async def aclose(self) -> None:
        """Do nothing, because the file is not kept open."""

    async def _wait(self, at: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiting = waiting = loop.create_future()
        # even for 0 seconds, so that the loop can run other tasks
        timer = loop.call_later(max(0.0, self._replay.due(at)), _wake, waiting)
        try:
            if not self._stopped:
                await waiting
        finally:
            self._waiting = None
            timer.cancel()
        if self._stopped:
            raise Cancelled("the answer was closed")


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _breaks_off() -> LLMStreamError:
    return StreamBroken("the recording ends here, before the end of the answer", retryable=False)
