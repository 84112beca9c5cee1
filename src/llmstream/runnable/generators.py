"""Steps that pass on chunks as they arrive: generator functions, and LangChain's Runnables.

A generator function pulls its input itself, so events that arrive meanwhile are held until its next
item.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from typing import (
    Any,
    Final,
    Protocol,
    runtime_checkable,
)  # Any: a user's function accepts and returns anything

from llmstream.errors import UsageError
from llmstream.runnable.chosen import aending, ending
from llmstream.runnable.steps import (
    AItems,
    Item,
    Items,
    Step,
    handed_on,
    joined,
)
from llmstream.tracing.chain import ChainRun, Piece, Seat

_END: Final = object()
Function = Callable[..., Any]
"""A user's function accepts and returns anything."""


class GeneratorStep(Step):
    """A generator function, which gets its input's chunks as they arrive; its own are passed on at once."""

    def __init__(self, function: Function, afunction: Function | None = None) -> None:
        native = inspect.isasyncgenfunction(function)
        self.function = None if native else function
        self.afunction = function if native else afunction
        self.name = getattr(function, "__name__", type(function).__name__)

    def invoke(self, value: object) -> object:
        """Return the function's items, joined."""
        return joined(list(self._called(iter([handed_on(value)]))))

    async def ainvoke(self, value: object) -> object:
        """Return the function's items, joined."""
        return joined([one async for one in self._acalled(_one(handed_on(value)))])

    def flow(self, items: Items, seat: Seat | None) -> Items:
        """Yield the function's items, and the events."""
        run = ChainRun(self.name, {}, seat=seat) if seat is not None else None
        passed: list[Item] = [run.start({})] if run else []
        taken: list[object] = []
        given: list[object] = []

        def chunks() -> Iterator[object]:
            for item in items:
                if isinstance(item, Piece):
                    taken.append(handed_on(item.value))
                    yield taken[-1]
                else:
                    passed.append(item)

        with closing(items), ending(self._called(chunks())) as values:
            try:
                for value in values:
                    yield from _emptied(passed)
                    given.append(value)
                    if run:
                        yield run.stream(value)
                    yield Piece(value)
            except Exception as error:
                yield from _emptied(passed)
                if run:
                    yield run.failed(error)
                raise
        yield from _emptied(passed)
        if run:
            yield run.end({"output": joined(given), "input": joined(taken)})

    async def aflow(self, items: AItems, seat: Seat | None) -> AItems:
        """Do the same on the running event loop."""
        run = ChainRun(self.name, {}, seat=seat) if seat is not None else None
        passed: list[Item] = [run.start({})] if run else []
        taken: list[object] = []
        given: list[object] = []

        async def chunks() -> AsyncGenerator[object, None]:
            async for item in items:
                if isinstance(item, Piece):
                    taken.append(handed_on(item.value))
                    yield taken[-1]
                else:
                    passed.append(item)

        async with aclosing(items), aclosing(chunks()) as source, aending(self._acalled(source)) as values:
            try:
                async for value in values:
                    for item in _emptied(passed):
                        yield item
                    given.append(value)
                    if run:
                        yield run.stream(value)
                    yield Piece(value)
            except Exception as error:
                for item in _emptied(passed):
                    yield item
                if run:
                    yield run.failed(error)
                raise
        for item in _emptied(passed):
            yield item
        if run:
            yield run.end({"output": joined(given), "input": joined(taken)})

    def _called(self, chunks: Iterator[object]) -> Iterator[object]:
        if self.function is None:
            raise UsageError(f"{self.name} is async", hint="use ainvoke, astream or astream_events")
        return iter(self.function(chunks))

    def _acalled(self, chunks: AsyncIterator[object]) -> AsyncIterator[object]:
        if self.afunction is not None:
            found: AsyncIterator[object] = self.afunction(chunks)
            return found
        return self._in_thread(chunks)

    async def _in_thread(self, chunks: AsyncIterator[object]) -> AsyncIterator[object]:
        """Run a blocking generator in a thread while the event loop produces the chunks it reads."""
        loop = asyncio.get_running_loop()
        pulling: set[asyncio.Task[object] | None] = set()
        over = False

        async def following() -> object:
            task = asyncio.current_task()
            pulling.add(task)
            try:
                return await anext(chunks, _END)
            finally:
                pulling.discard(task)

        def pulled() -> Iterator[object]:
            while not over:
                chunk = asyncio.run_coroutine_threadsafe(following(), loop).result()
                if chunk is _END:
                    return
                yield chunk

        given = self._called(pulled())
        try:
            while (value := await asyncio.to_thread(next, given, _END)) is not _END:
                yield value
        finally:
            over = True
            # `chunks` is closed next, which fails while it is running
            waiting = [task for task in pulling if task is not None]
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


@runtime_checkable
class LangChains(Protocol):
    """The interface of LangChain's Runnables."""

    def invoke(self, input: object) -> object:
        """Return the output."""
        ...

    async def ainvoke(self, input: object) -> object:
        """Return the output."""
        ...

    def transform(self, input: Iterator[object]) -> Iterator[object]:
        """Yield the output's chunks as the input's arrive."""
        ...

    def atransform(self, input: AsyncIterator[object]) -> AsyncIterator[object]:
        """Do the same on the running event loop."""
        ...

    def get_name(self) -> str:
        """Return its name in events."""
        ...


class LangChainStep(GeneratorStep):
    """A LangChain Runnable in our composition."""

    def __init__(self, runnable: LangChains) -> None:
        super().__init__(runnable.transform, runnable.atransform)
        self.runnable = runnable
        self.name = runnable.get_name()

    def invoke(self, value: object) -> object:
        """Return its output."""
        return self.runnable.invoke(handed_on(value))

    async def ainvoke(self, value: object) -> object:
        """Return its output."""
        return await self.runnable.ainvoke(handed_on(value))


async def _one(value: object) -> AsyncIterator[object]:
    yield value


def _emptied(items: list[Item]) -> list[Item]:
    """Return a list's items, and empty it."""
    found = items[:]
    items.clear()
    return found
