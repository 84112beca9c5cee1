"""The transport of the adapter ``runnable``: carries out effects on a Python object.

Blocking calls run in a thread.  An object that supports event loops natively runs in a single task, because
a context must be left in the task that entered it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final

from llmstream.engine.effects import Effect, Head, Open, Read, Reply
from llmstream.errors import Cancelled, TimeLimitPassed
from llmstream.foreign import background
from llmstream.foreign.answer import (
    Ear,
    Mailbox,
    Question,
    answer,
    answer_blocking,
    answer_on_loop,
    start,
    tell,
)
from llmstream.foreign.objects import Watch, Way
from llmstream.prompt import Json
from llmstream.transport.drivers import AsyncTransport, Transport
from llmstream.transport.patience import Patience

HEAD: Final = Head(200, {"content-type": "application/x-ndjson"})
GRACE: Final = 0.25
"""Longest wait for an object to finish after a stop, in seconds."""


class ForeignRoute:
    """The route to a model that is a Python object.

    Args:
        factory: what makes the object, ``package.module:Class``.
        arguments: the factory's keyword arguments, overridden by those of the call.  They may contain
            keys and so aren't part of the request, which can be shown.
        path: an additional folder to import it from, empty for none.
        watch: which events are wanted from the object.
    """

    def __init__(
        self, factory: str, arguments: Mapping[str, Json], path: str = "", watch: Watch | None = None
    ) -> None:
        self._factory = factory
        self._arguments = arguments
        self._path = path
        self._watch = watch

    def question(self, body: bytes) -> Question:
        """Return the object's input and arguments for a request body."""
        return Question(self._factory, self._arguments, body, self._path, self._watch)

    def transport(self) -> Transport:
        """Return a transport for a blocking run."""
        return ForeignTransport(self)

    def async_transport(self) -> AsyncTransport:
        """Return a transport for the running event loop."""
        return AsyncForeignTransport(self)


class ForeignTransport:
    """Carries out one request's effects, blocking.

    Args:
        route: the object.
    """

    def __init__(self, route: ForeignRoute) -> None:
        self._route = route
        self._box = Mailbox()
        self._begun = False

    def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return its result.

        Raises:
            LLMStreamError: the effect failed; the message does not name the provider.
        """
        box = self._box
        if isinstance(effect, Read):
            patience = Patience(effect.deadline)
            while not (box.has_news() or box.stopped):
                box.wait(patience.slice(time.monotonic()))
            return _taken(box)
        if isinstance(effect, Open):
            self._begun = True
            start(partial(answer, self._route.question(effect.request.body), box))
            return HEAD
        self.close()
        return None

    def stop(self) -> None:
        """End the current wait at once, and stop the object."""
        self._box.stop()

    def close(self) -> None:
        """Stop the object, and wait at most `GRACE` seconds for it to finish."""
        if self._begun:
            self._begun = False
            self._box.stop()
            self._box.wait_for_end(GRACE)


class AsyncForeignTransport:
    """Carries out one request's effects on the running event loop.

    Args:
        route: the object.
    """

    def __init__(self, route: ForeignRoute) -> None:
        self._route = route
        self._box = Mailbox()
        self._ear = Ear(self._box)
        self._begun = False

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return its result.

        Raises:
            LLMStreamError: the effect failed; the message does not name the provider.
        """
        if isinstance(effect, Read):
            box = self._box
            await self._ear.until(lambda: box.has_news() or box.stopped, effect.deadline)
            return _taken(box)
        if isinstance(effect, Open):
            # in a thread, because importing and making the object would block the loop
            self._begun = True
            question = self._route.question(effect.request.body)
            start(partial(self._answer, question, asyncio.get_running_loop()))
            return HEAD
        await self.aclose()
        return None

    def stop(self) -> None:
        """End the current wait at once, and stop the object."""
        self._box.stop()

    async def aclose(self) -> None:
        """Stop the object, and wait at most `GRACE` seconds for it to finish."""
        if self._begun:
            self._begun = False
            self._box.stop()
            with suppress(TimeLimitPassed):
                await self._ear.until(self._box.has_ended, time.monotonic() + GRACE)

    def _answer(self, question: Question, loop: asyncio.AbstractEventLoop) -> None:
        with question.failing_into(self._box):
            way = question.way(loop)
            if way.answer is not None:
                background.run(answer_on_loop(question, self._box, way))
            elif way.native:
                tell(loop, partial(self._begin, question, way))
            else:
                answer_blocking(question, self._box, way)

    def _begin(self, question: Question, way: Way) -> None:
        # a reference, because an event loop keeps only weak ones to its tasks
        self._task = asyncio.ensure_future(answer_on_loop(question, self._box, way))


def _taken(box: Mailbox) -> bytes:
    if box.stopped:
        raise Cancelled("the answer was closed")
    return box.take()
