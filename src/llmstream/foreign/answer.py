"""Call a Python object as a model, and pass its output to the reader as lines.

A blocking object is called in a separate thread, which can't be stopped from outside: after a time limit,
the reader abandons it, and the thread ends at the object's next chunk.
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
"""Most chunks that an object may be ahead of its reader."""
MODEL_NAMES: Final = ("model_name", "model_id")
"""Names that classes use instead of `model`; some accept either one but not both."""


class Question:
    """One request to an object.

    Args:
        factory: what makes the object, ``package.module:Class``.
        arguments: the configured arguments; those of the request override them.
        body: the request body, as made by the adapter.
        path: an additional folder to import the factory from, empty for none.
        watch: which events are wanted from the object.
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
        """Make the object, for use on an event loop if one is given, and return how to call it.

        Raises:
            ConfigError: as for `way_to`.
        """
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
        """Call an object on the running event loop, and return a generator of its answer's documents."""
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
        """End the box with any error raised in the block."""
        try:
            yield
        except _Stopped:
            box.end()
        except KeyboardInterrupt:
            # from a signal that interrupted the main thread and its loop in this block
            box.end()
            raise
        except BaseException as error:  # noqa: BLE001  # a thread's SystemExit would also be lost
            box.end(self._discretion.error_of(error, begun=box.begun))


class _Stopped(Exception):
    """The reader no longer wants the answer."""


class Mailbox:
    """A queue of lines from an object's thread or task to their reader.

    Both ends may be in a thread, which waits here, or on an event loop, which waits with an `Ear`.
    `stop_task`: ends the task that fills the box, if any.
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
            # the event of a step is not part of the answer
            self.begun = self.begun or "step" not in document
            self._lines.append(line_of(document))

    def end(self, failure: LLMStreamError | None = None) -> None:
        """Mark the box as complete; `failure` is raised by `take` after the last line."""
        with self._change():
            self._failure, self.ended = failure, True

    def take(self) -> bytes:
        """Return the lines since the last call, ``b""`` at the end.

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
        """Refuse further lines, drop the unread ones, and stop the task that fills the box."""
        with self._change():
            self.stopped = True
            self._lines.clear()
        self.stop_task()

    def has_ended(self) -> bool:
        """Return whether nothing more will arrive."""
        return self.ended

    def wait(self, seconds: float) -> None:
        """Block until there are lines or the box has ended or been stopped, for at most `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self.has_news() or self.stopped, seconds)

    def wait_for_end(self, seconds: float) -> None:
        """Block until the box has ended, for at most `seconds`."""
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
        """Wait until `ready()` is true.

        Args:
            ready: called again after each change of the box.
            deadline: monotonic, in seconds.

        Raises:
            TimeLimitPassed: the deadline passed first.
        """
        patience = Patience(deadline)
        while True:
            # cleared before the check, so that a change after the check is not missed
            self._changed.clear()
            if ready():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(patience.slice(self._loop.time())):
                    await self._changed.wait()


def answer(question: Question, box: Mailbox) -> None:
    """Put an object's complete answer into a box, from a thread without an event loop."""
    with question.failing_into(box):
        way = question.way()
        if way.answer is not None:
            background.run(answer_on_loop(question, box, way))
        elif way.native:
            asyncio.run(answer_on_loop(question, box, way))
        else:
            answer_blocking(question, box, way)


def answer_blocking(question: Question, box: Mailbox, way: Way) -> None:
    """Like `answer`, for a blocking object."""
    for document in documents(question.asked(way), several=way.several, stream=question.stream):
        box.put(document)
    box.end()


async def answer_on_loop(question: Question, box: Mailbox, way: Way) -> None:
    """Like `answer`, in a task, for an object that does not block the event loop."""
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
    """Run `work` in a daemon thread, in a copy of the caller's context."""
    run = copy_context().run
    threading.Thread(target=run, args=(work,), name="llmstream-object", daemon=True).start()


def tell(loop: asyncio.AbstractEventLoop, what: Callable[[], object]) -> None:
    """Make a loop call `what`, from any thread; does nothing if the loop is closed."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(what)
