"""Carries effects out on a Python object: the transport of the adapter ``runnable``.

What blocks runs in a thread.  What is native to an event loop runs there as one task, so that what
it has entered it also leaves in the same task.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from llmstream.engine.effects import Call, Effect, Head, Open, Prepare, Read, Reply, Sleep
from llmstream.prompt import Json
from llmstream.runnable.foreign_answer import END, Mailbox, Question, answer, start
from llmstream.runnable.foreign_chunks import line_of
from llmstream.runnable.foreign_objects import Asking
from llmstream.transport.drivers import AsyncTransport, Transport
from llmstream.transport.process_common import Patience

HEAD: Final = Head(200, {"content-type": "application/x-ndjson"})
GRACE: Final = 0.25
"""Seconds that an object is given to end what it does."""


class ForeignRoute:
    """The way to a model that is a Python object.

    Args:
        factory: what makes it, ``package.module:Class``.
        arguments: the factory's keyword arguments, under those of the call.  They may hold keys,
            so that they aren't part of the request, which can be shown.
    """

    def __init__(self, factory: str, arguments: Mapping[str, Json]) -> None:
        self._factory = factory
        self._arguments = arguments

    def question(self, body: bytes) -> Question:
        """Return what a request's body asks of the object."""
        return Question(self._factory, self._arguments, body)

    def transport(self) -> Transport:
        """Return a transport for a blocking run."""
        return ForeignTransport(self)

    def async_transport(self) -> AsyncTransport:
        """Return a transport for the running event loop."""
        return AsyncForeignTransport(self)


class ForeignTransport:
    """Carries out one run's effects, blocking.

    Args:
        route: the object.
    """

    def __init__(self, route: ForeignRoute) -> None:
        self._route = route
        self._box: Mailbox | None = None

    def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return what it brought.

        Raises:
            LLMStreamError: what went wrong, without naming the provider.
        """
        if isinstance(effect, Read):
            return self._read(effect.deadline)
        if isinstance(effect, Open):
            self.close()
            self._box = Mailbox(lambda: None)
            start(partial(answer, self._route.question(effect.request.body), self._box))
            return HEAD
        if isinstance(effect, Prepare):
            call: Call = effect.make()
            return call
        if isinstance(effect, Sleep):
            time.sleep(effect.seconds)
        else:
            self.close()
        return None

    def close(self) -> None:
        """Have the object stop."""
        box, self._box = self._box, None
        if box is not None:
            box.stop()
            box.wait(GRACE)

    def _read(self, deadline: float) -> bytes:
        box, patience = self._box, Patience(deadline)
        assert box is not None
        while (data := box.take()) is None:
            box.wait(patience.slice(time.monotonic()))
        return data


class AsyncForeignTransport:
    """The same for the running event loop.

    Args:
        route: the object.
    """

    def __init__(self, route: ForeignRoute) -> None:
        self._route = route
        self._box: Mailbox | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return what it brought.

        Raises:
            LLMStreamError: what went wrong, without naming the provider.
        """
        if isinstance(effect, Read):
            return await self._read(effect.deadline)
        if isinstance(effect, Open):
            await self.aclose()
            self._open(self._route.question(effect.request.body))
            return HEAD
        if isinstance(effect, Prepare):
            call: Call = await asyncio.to_thread(effect.make) if effect.slow else effect.make()
            return call
        if isinstance(effect, Sleep):
            await asyncio.sleep(effect.seconds)
        else:
            await self.aclose()
        return None

    async def aclose(self) -> None:
        """Have the object stop."""
        box, self._box = self._box, None
        task, self._task = self._task, None
        if box is None:
            return
        box.stop()
        if task is not None:
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE)
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + GRACE
        while not box.ended and loop.time() < until:
            await self._change(box, until - loop.time())

    def _open(self, question: Question) -> None:
        loop, own = asyncio.get_running_loop(), threading.get_ident()
        changed = self._changed

        def wake() -> None:
            if threading.get_ident() == own:
                changed.set()
            else:
                _tell(loop, changed.set)

        box = self._box = Mailbox(wake)

        def work() -> None:
            try:
                ask, native = question.asking(loop)
            except BaseException as error:  # noqa: BLE001  # a thread's SystemExit too would go unseen
                box.end(question.discretion.error_of(error, begun=False))
                return
            if native:
                _tell(loop, partial(self._begin, question, box, ask))
            else:
                answer(question, box, ask)

        # importing and making take their time, which the loop has not
        start(work)

    def _begin(self, question: Question, box: Mailbox, ask: Asking) -> None:
        if not box.stopped:
            self._task = asyncio.get_running_loop().create_task(self._pump(question, box, ask))

    async def _pump(self, question: Question, box: Mailbox, ask: Asking) -> None:
        """Put an object's whole answer into the box, as fast as it is taken out."""
        try:
            async with contextlib.aclosing(question.documents(ask(question.input))) as given:
                async for document in given:
                    box.add(line_of(document))
                    while box.full:
                        self._room.clear()
                        await self._room.wait()
            box.add(END)
            box.end()
        except BaseException as error:
            box.end(question.discretion.error_of(error, begun=box.begun))
            if not isinstance(error, Exception):
                raise

    async def _read(self, deadline: float) -> bytes:
        box, patience = self._box, Patience(deadline)
        assert box is not None
        loop = asyncio.get_running_loop()
        while (data := box.take()) is None:
            await self._change(box, patience.slice(loop.time()))
        self._room.set()
        return data

    async def _change(self, box: Mailbox, seconds: float) -> None:
        """Wait until something has changed, `seconds` at most."""
        self._changed.clear()
        if box.has_news:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    """Have a loop do something, from another thread; one that has ended does nothing."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(what)
