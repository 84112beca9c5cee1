"""Asks a foreign object, and carries its lines to whoever reads them.

An object that blocks is asked in a thread of its own, which nothing can end from outside: whoever
loses patience leaves it alone, and it ends at its next chunk.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping
from contextlib import aclosing
from contextvars import copy_context
from typing import Final

from llmstream.errors import LLMStreamError
from llmstream.prompt import Json
from llmstream.runnable import foreign_objects as objects
from llmstream.runnable.foreign_chunks import Discretion, document_of, joined, line_of
from llmstream.wire.document import Document

ROOM: Final = 8
"""Chunks that an object may be ahead of whoever reads them."""
END: Final = line_of({"end": True})


class Question:
    """One request to an object.

    Args:
        factory: what makes the object.
        arguments: the configured ones; those of the request go over them.
        body: the request's, as the adapter made it.
    """

    def __init__(self, factory: str, arguments: Mapping[str, Json], body: bytes) -> None:
        asked: Document = json.loads(body)
        self.factory = factory
        self.arguments = {**arguments, **asked["arguments"]}
        if "model" in asked:
            # LangChain's classes take either name, and complain of both
            name = "model_name" if "model_name" in self.arguments else "model"
            self.arguments[name] = asked["model"]
        self.input: Json = asked["input"]
        self.stream: bool = asked["stream"]
        self._bound: Mapping[str, Json] = asked["bound"]
        self.discretion = Discretion(self.arguments, os.environ)

    def asking(self, loop: object | None = None) -> tuple[objects.Asking, bool]:
        """Return how to ask the object, which is made first, and whether on the event loop."""
        model = objects.objects_of(loop).get(self.factory, self.arguments)
        model = objects.bound(model, self._bound)
        return objects.asking(model, stream=self.stream, on_loop=loop is not None)

    async def documents(self, value: object) -> AsyncGenerator[Document, None]:
        """Yield what an async call brings, one document a chunk; leaving early closes it."""
        if isinstance(value, Awaitable):
            value = await value
        if not isinstance(value, AsyncIterable):
            for document in objects.documents(value, stream=self.stream):
                yield document
            return
        try:
            if self.stream:
                async for chunk in value:
                    yield document_of(chunk)
            else:
                for document in joined([document_of(chunk) async for chunk in value]):
                    yield document
        finally:
            close = getattr(value, "aclose", None)
            if callable(close):
                await close()


class _Stopped(Exception):
    """Nobody waits for the answer any more."""


class Mailbox:
    """Lines on their way from the object's thread or task to whoever reads them.

    Args:
        wake: told when something has changed.
    """

    def __init__(self, wake: Callable[[], object]) -> None:
        self.stopped = self.ended = self.begun = False
        self._failure: LLMStreamError | None = None
        self._lines: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._wake = wake

    @property
    def full(self) -> bool:
        """Whether the object has got far enough ahead."""
        return len(self._lines) >= ROOM

    @property
    def has_news(self) -> bool:
        """Whether `take` would bring something."""
        return bool(self._lines) or self.ended

    def add(self, line: bytes) -> None:
        """Take a line, without waiting."""
        with self._changed:
            self.begun = True
            self._lines.append(line)
            self._changed.notify_all()
        self._wake()

    def put(self, line: bytes) -> None:
        """Take a line, when there is room for it.

        Raises:
            _Stopped: it is not wanted any more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.stopped or not self.full)
            if self.stopped:
                raise _Stopped
        self.add(line)

    def end(self, failure: LLMStreamError | None = None) -> None:
        """Note that nothing more comes."""
        with self._changed:
            self._failure, self.ended = failure, True
            self._changed.notify_all()
        self._wake()

    def take(self) -> bytes | None:
        """Return what has come, ``b""`` at the end, None when nothing has.

        Raises:
            LLMStreamError: the object failed; what came before has been taken.
        """
        with self._changed:
            data = b"".join(self._lines)
            self._lines.clear()
            self._changed.notify_all()
            if data or not self.ended:
                return data or None
        if self._failure is not None:
            raise self._failure
        return b""

    def wait(self, seconds: float) -> None:
        """Wait in a thread until something has come, `seconds` at most."""
        with self._changed:
            self._changed.wait_for(lambda: self.has_news, seconds)

    def stop(self) -> None:
        """Want nothing more."""
        with self._changed:
            self.stopped = True
            self._lines.clear()
            self._changed.notify_all()


def answer(question: Question, box: Mailbox, ask: objects.Asking | None = None) -> None:
    """Put an object's whole answer into a box, from a thread that may block."""
    try:
        value = (ask or question.asking()[0])(question.input)
        if isinstance(value, Awaitable | AsyncIterable):
            asyncio.run(_drain(question, box, value))
        else:
            for document in objects.documents(value, stream=question.stream):
                box.put(line_of(document))
        box.put(END)
        box.end()
    except _Stopped:
        box.end()
    except BaseException as error:  # noqa: BLE001  # a thread's SystemExit too would go unseen
        box.end(question.discretion.error_of(error, begun=box.begun))


async def _drain(question: Question, box: Mailbox, value: object) -> None:
    """Put the answer of an object that only knows event loops into a box, on a loop made for it."""
    async with aclosing(question.documents(value)) as given:
        async for document in given:
            box.put(line_of(document))


def start(work: Callable[[], None]) -> None:
    """Run something in a thread that doesn't keep the process alive, with the caller's context."""
    run = copy_context().run
    threading.Thread(target=run, args=(work,), name="llmstream-object", daemon=True).start()
