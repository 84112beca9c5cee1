"""Calls a foreign object, and passes its lines to the reader.

A blocking object is called in a separate thread, which can't be ended from outside: after a time limit the
reader abandons it, and it ends at its next chunk.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Mapping
from contextlib import aclosing, contextmanager, suppress
from contextvars import copy_context
from functools import partial
from typing import Final, cast

from llmstream.engine.effects import NEVER
from llmstream.errors import LLMStreamError
from llmstream.foreign import background
from llmstream.foreign.chunks import adocuments, documents, line_of
from llmstream.foreign.errors import Discretion
from llmstream.foreign.imports import Factory
from llmstream.foreign.objects import Watch, Way, way_to
from llmstream.foreign.steps import documents_of
from llmstream.prompt import Json
from llmstream.transport.patience import Patience
from llmstream.wire.document import Document

ROOM: Final = 8
"""Limit on the chunks that an object may be ahead of its reader."""
MODEL_NAMES: Final = ("model_name", "model_id")
"""Names that classes use instead of `model`; some accept either, and reject both together."""


class Question:
    """One request to an object.

    Args:
        factory: what makes the object.
        arguments: the configured ones; those of the request override them.
        body: the request's, as the adapter made it.
        path: a folder from which the factory is imported too, empty for none.
        watch: how closely the object is watched.
    """

    def __init__(
        self,
        factory: str,
        arguments: Mapping[str, Json],
        body: bytes,
        path: str = "",
        watch: Watch | None = None,
    ) -> None:
        asked: Document = json.loads(body)
        self.input: Json = asked["input"]
        self._text: Json = asked.get("text", self.input)
        self.watch = watch or Watch()
        self.stream: bool = asked["stream"]
        self._factory = Factory(factory, path)
        self._arguments = {**arguments, **asked["arguments"]}
        if "model" in asked:
            name = next((name for name in MODEL_NAMES if name in self._arguments), "model")
            self._arguments[name] = asked["model"]
        self._bound: Mapping[str, Json] = asked["bound"]
        self._discretion = Discretion(self._arguments, os.environ)

    def way(self, loop: asyncio.AbstractEventLoop | None = None) -> Way:
        """Make the object, on an event loop if one is given, and return how to call it."""
        return way_to(
            self._factory,
            self._arguments,
            self._bound,
            self._discretion,
            stream=self.stream,
            loop=loop,
            watch=self.watch,
        )

    def asked(self, way: Way) -> object:
        """Call the object and return its result."""
        if way.form == "state":
            return way.ask({"messages": self._messages()})
        return way.ask(self._text if way.form == "text" else self.input)

    def documents(self, way: Way) -> AsyncGenerator[Document, None]:
        """Call an object that is native to an event loop, and yield its answer's documents."""
        value = self.asked(way)
        if way.answer is None:
            return adocuments(value, several=way.several, stream=self.stream)
        answer = way.answer(len(self._messages()) if way.form == "state" else 0)
        events = cast("AsyncIterable[object]", value)
        steps = bool(self.watch.steps)
        return documents_of(events, answer, steps=steps, stream=self.stream, hide=self._discretion.hide)

    def _messages(self) -> list[Json]:
        given = self.input
        return given if isinstance(given, list) else [{"role": "user", "content": given}]

    @contextmanager
    def failing_into(self, box: Mailbox) -> Generator[None, None, None]:
        """Put an error that is raised in the block into the box."""
        try:
            yield
        except _Stopped:
            box.end()
        except KeyboardInterrupt:
            # a signal's, which came upon the main thread and its loop in the midst of this
            box.end()
            raise
        except BaseException as error:  # noqa: BLE001  # a thread's SystemExit too would go unseen
            box.end(self._discretion.error_of(error, begun=box.begun))


class _Stopped(Exception):
    """Nobody waits for the answer any more."""


class Mailbox:
    """Lines on their way from an object's thread or task to their reader.

    Each end may be in a thread, which waits in here, or on an event loop, which has an `Ear`.
    `stop_task` ends a task that fills it.
    """

    def __init__(self) -> None:
        self.stopped = self.ended = self.begun = False
        self.listeners: list[Callable[[], None]] = []
        self.stop_task: Callable[[], None] = lambda: None
        self._failure: LLMStreamError | None = None
        self._lines: deque[bytes] = deque()
        self._changed = threading.Condition()

    def has_room(self) -> bool:
        """Return whether `put` would not wait."""
        return self.stopped or len(self._lines) < ROOM

    def has_news(self) -> bool:
        """Return whether `take` would return something."""
        return bool(self._lines) or self.ended

    def put(self, document: Document) -> None:
        """Add a document, waiting in a thread until there is room.

        Raises:
            _Stopped: the reader has stopped.
        """
        with self._change():
            self._changed.wait_for(self.has_room)
            if self.stopped:
                raise _Stopped
            # a step's event is not part of the answer
            self.begun = self.begun or "step" not in document
            self._lines.append(line_of(document))

    def end(self, failure: LLMStreamError | None = None) -> None:
        """Note that nothing more will arrive."""
        with self._change():
            self._failure, self.ended = failure, True

    def take(self) -> bytes:
        """Return what has arrived, ``b""`` at the end.

        Raises:
            LLMStreamError: the object failed; earlier lines have already been returned.
        """
        with self._change():
            data = b"".join(self._lines)
            self._lines.clear()
        if not data and self._failure is not None:
            raise self._failure
        return data

    def stop(self) -> None:
        """Refuse further lines, drop those not yet read, and stop the task that fills the box."""
        with self._change():
            self.stopped = True
            self._lines.clear()
        self.stop_task()

    def has_ended(self) -> bool:
        """Return whether nothing more will arrive."""
        return self.ended

    def wait(self, seconds: float) -> None:
        """Wait in a thread until something has arrived or the box is stopped, `seconds` at most."""
        with self._changed:
            self._changed.wait_for(lambda: self.has_news() or self.stopped, seconds)

    def wait_for_end(self, seconds: float) -> None:
        """Wait in a thread until the box has ended, `seconds` at most."""
        with self._changed:
            self._changed.wait_for(self.has_ended, seconds)

    @contextmanager
    def _change(self) -> Generator[None, None, None]:
        with self._changed:
            yield
            self._changed.notify_all()
        for listener in self.listeners:
            listener()


class Ear:
    """Waits for a box's changes on the running event loop."""

    def __init__(self, box: Mailbox) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        box.listeners.append(partial(tell, self._loop, self._changed.set))

    async def until(self, ready: Callable[[], bool], deadline: float = NEVER) -> None:
        """Wait until `ready`.

        Raises:
            TimeLimitPassed: the deadline passed first.
        """
        patience = Patience(deadline)
        while True:
            # before the look: a change behind it sets it again
            self._changed.clear()
            if ready():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(patience.slice(self._loop.time())):
                    await self._changed.wait()


def answer(question: Question, box: Mailbox) -> None:
    """Put an object's whole answer into a box, from a thread that has no event loop."""
    with question.failing_into(box):
        way = question.way()
        if way.answer is not None:
            background.run(answer_on_loop(question, box, way))
        elif way.native:
            asyncio.run(answer_on_loop(question, box, way))
        else:
            answer_blocking(question, box, way)


def answer_blocking(question: Question, box: Mailbox, way: Way) -> None:
    """Like `answer`, for an object that blocks."""
    for document in documents(question.asked(way), several=way.several, stream=question.stream):
        box.put(document)
    box.end()


async def answer_on_loop(question: Question, box: Mailbox, way: Way) -> None:
    """Like `answer`, in a task of a loop that the object does not block."""
    task, ear = asyncio.current_task(), Ear(box)
    assert task is not None
    with question.failing_into(box):
        box.stop_task = partial(tell, asyncio.get_running_loop(), task.cancel)
        if box.stopped:
            raise _Stopped
        async with aclosing(question.documents(way)) as given:
            async for document in given:
                await ear.until(box.has_room)
                box.put(document)
        box.end()


def start(work: Callable[[], None]) -> None:
    """Run something in a thread that doesn't keep the process alive, with the caller's context."""
    run = copy_context().run
    threading.Thread(target=run, args=(work,), name="llmstream-object", daemon=True).start()


def tell(loop: asyncio.AbstractEventLoop, what: Callable[[], object]) -> None:
    """Have a loop call something, from any thread; does nothing if the loop has ended."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(what)
