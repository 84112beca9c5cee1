"""Functions as steps, and the step that any object is.

Source: langchain-core 1.8, `RunnableLambda`: a Runnable that a function returns is run with the function's
input, and its output takes the place of the function's.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import aclosing, closing
from typing import Any  # Any: a user's function accepts and returns anything

from llmstream.errors import UsageError
from llmstream.runnable.core import Core
from llmstream.runnable.generators import GeneratorStep, LangChains, LangChainStep
from llmstream.runnable.steps import (
    AItems,
    Items,
    RunnableStep,
    Step,
    WholeStep,
    aonly,
    handed_on,
    joined,
    only,
)
from llmstream.tracing.chain import ChainRun, Piece, Seat


class FunctionStep(WholeStep):
    """A function; if it returns a Runnable, ours or LangChain's, that is run in its place."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        called = getattr(function, "__call__", None)  # noqa: B004  # that of an object may be async
        self.native = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
        self.name = getattr(function, "__name__", type(function).__name__)

    def invoke(self, value: object) -> object:
        """Return the function's result, or the output of the Runnable that it returns."""
        found = self._called(handed_on(value))
        return found.invoke(value) if isinstance(found, Step) else found

    async def ainvoke(self, value: object) -> object:
        """Return the function's result; it is called in a thread unless it is async."""
        found = await self._acalled(handed_on(value))
        return await found.ainvoke(value) if isinstance(found, Step) else found

    def answer(self, value: object, seat: Seat | None) -> Items:
        """Yield the function's result as one chunk, or the items of the Runnable that it returns."""
        run = None if seat is None else ChainRun(self.name, {}, seat=seat)
        if run:
            yield run.start({"input": value})
        values: list[object] = []
        try:
            found = self._called(value)
            with closing(_items(found, value, run.within() if run else None)) as items:
                for item in items:
                    if isinstance(item, Piece):
                        values.append(item.value)
                        if run:
                            yield run.stream(handed_on(item.value))
                    yield item
        except Exception as error:
            if run:
                yield run.failed(error)
            raise
        if run:
            yield run.end({"output": handed_on(joined(values)), "input": value})

    async def aanswer(self, value: object, seat: Seat | None) -> AItems:
        """Do the same on the running event loop."""
        run = None if seat is None else ChainRun(self.name, {}, seat=seat)
        if run:
            yield run.start({"input": value})
        values: list[object] = []
        try:
            found = await self._acalled(value)
            async with aclosing(_aitems(found, value, run.within() if run else None)) as items:
                async for item in items:
                    if isinstance(item, Piece):
                        values.append(item.value)
                        if run:
                            yield run.stream(handed_on(item.value))
                    yield item
        except Exception as error:
            if run:
                yield run.failed(error)
            raise
        if run:
            yield run.end({"output": handed_on(joined(values)), "input": value})

    def _called(self, value: object) -> object:
        if self.native:
            raise UsageError(f"{self.name} is async", hint="use ainvoke, astream or astream_events")
        return _followed(self.function(value))

    async def _acalled(self, value: object) -> object:
        called = self.function(value) if self.native else asyncio.to_thread(self.function, value)
        return _followed(await called)


def _followed(found: object) -> object:
    """Return a Runnable as a step, any other value unchanged."""
    return as_step(found) if isinstance(found, Core | LangChains) else found


def _items(found: object, value: object, seat: Seat | None) -> Items:
    if isinstance(found, Step):
        yield from found.flow(only(value), seat)
    else:
        yield Piece(found)


async def _aitems(found: object, value: object, seat: Seat | None) -> AItems:
    if not isinstance(found, Step):
        yield Piece(found)
        return
    async with aclosing(found.aflow(aonly(value), seat)) as items:
        async for item in items:
            yield item


def as_step(thing: object) -> Step:
    """Return an object as a step of a composition.

    Args:
        thing: one of our Runnables, a LangChain Runnable, or a callable.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(thing, Core):
        return RunnableStep(thing)
    if isinstance(thing, LangChains):
        return LangChainStep(thing)
    if inspect.isgeneratorfunction(thing) or inspect.isasyncgenfunction(thing):
        return GeneratorStep(thing)
    if callable(thing):
        return FunctionStep(thing)
    raise TypeError(f"a step is a Runnable or a function, not {type(thing).__name__}")


def is_step(thing: object) -> bool:
    """Return whether `as_step` accepts it."""
    return isinstance(thing, Core) or callable(thing) or isinstance(thing, LangChains)
