"""The steps of a composition: Runnables, functions and generator functions, with one interface.

A step consumes the items, chunks and events, of the one before and yields its own items. It passes on
events, and adds its own if it has a seat.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, closing
from functools import reduce
from typing import Any, TypeAlias, cast  # Any: a user's function accepts and returns anything

from llmstream.engine.meter import Completion
from llmstream.runnable.chosen import aending, ending
from llmstream.runnable.core import Core
from llmstream.tracing.chain import Piece, Seat
from llmstream.tracing.tracer import EventDict

Item: TypeAlias = EventDict | Piece
Items: TypeAlias = Generator[Item, None, None]
AItems: TypeAlias = AsyncGenerator[Item, None]


def only(value: object) -> Items:
    """Yield a whole input as the only item."""
    yield Piece(value)


async def aonly(value: object) -> AItems:
    """Do the same on the running event loop."""
    yield Piece(value)


def handed_on(value: object) -> object:
    """Return an output as the next step's input: a Completion as its text."""
    return value.text if isinstance(value, Completion) else value


def joined(values: Sequence[object]) -> object:
    """Return chunks as one value: their sum if they can be added, else the last one; "" for none."""
    if not values:
        return ""
    if all(isinstance(one, str) for one in values):
        return "".join(cast("Sequence[str]", values))
    try:
        return reduce(lambda a, b: a + b, cast("Sequence[Any]", values))
    except TypeError:
        return values[-1]


class Step(ABC):
    """A step of a composition."""

    @abstractmethod
    def invoke(self, value: object) -> object:
        """Return the output of the whole input."""

    @abstractmethod
    async def ainvoke(self, value: object) -> object:
        """Return the output of the whole input."""

    @abstractmethod
    def flow(self, items: Items, seat: Seat | None) -> Items:
        """Yield the output's chunks as the input's arrive, and the events of both."""

    @abstractmethod
    def aflow(self, items: AItems, seat: Seat | None) -> AItems:
        """Do the same on the running event loop."""


class WholeStep(Step):
    """A step that starts when its input is complete."""

    def flow(self, items: Items, seat: Seat | None) -> Items:
        """Yield the events passed on, then the items for the whole input."""
        values = []
        with closing(items):
            for item in items:
                if isinstance(item, Piece):
                    values.append(item.value)
                else:
                    yield item
        yield from self.answer(handed_on(joined(values)), seat)

    async def aflow(self, items: AItems, seat: Seat | None) -> AItems:
        """Do the same on the running event loop."""
        values = []
        async with aclosing(items):
            async for item in items:
                if isinstance(item, Piece):
                    values.append(item.value)
                else:
                    yield item
        async with aclosing(self.aanswer(handed_on(joined(values)), seat)) as answer:
            async for item in answer:
                yield item

    @abstractmethod
    def answer(self, value: object, seat: Seat | None) -> Items:
        """Yield the items of the output for a whole input."""

    @abstractmethod
    def aanswer(self, value: object, seat: Seat | None) -> AItems:
        """Do the same on the running event loop."""


class RunnableStep(WholeStep):
    """One of our Runnables, whose chunks are passed on as they arrive."""

    def __init__(self, runnable: Core[Any, Any]) -> None:
        self.runnable = runnable

    def invoke(self, value: object) -> object:
        """Return its output."""
        return self.runnable.invoke(handed_on(value))

    async def ainvoke(self, value: object) -> object:
        """Return its output."""
        return await self.runnable.ainvoke(handed_on(value))

    def answer(self, value: object, seat: Seat | None) -> Items:
        """Yield the items of its run."""
        if seat is not None:
            yield from self.runnable.traced(value, None, seat.version, seat)
            return
        with ending(self.runnable.stream(value)) as chunks:
            for chunk in chunks:
                yield Piece(chunk)

    async def aanswer(self, value: object, seat: Seat | None) -> AItems:
        """Do the same on the running event loop."""
        if seat is not None:
            async with aclosing(self.runnable.atraced(value, None, seat.version, seat)) as items:
                async for item in items:
                    yield item
            return
        async with aending(self.runnable.astream(value)) as chunks:
            async for chunk in chunks:
                yield Piece(chunk)
