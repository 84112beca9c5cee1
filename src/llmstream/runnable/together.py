"""Run several runs at once on one event loop, and merge their events in order of arrival."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, TypeAlias

from llmstream.engine.effects import Batch
from llmstream.errors import LLMStreamError


class Running(Protocol):
    """A run on the event loop that iterates over it."""

    def __aiter__(self) -> AsyncIterator[Batch]:
        """Return the iterator over its batches."""
        ...

    async def aclose(self) -> None:
        """End it and its connection."""
        ...


Start: TypeAlias = Callable[[], Running]


class News(NamedTuple):
    """A batch of one run, or its end.

    Args:
        place: number of the run, from 0.
        batch: the events of one read; None if the run has ended.
        error: the error that ended it, None if it finished.
        at: when it arrived, on the monotonic clock.
    """

    place: int
    batch: Batch | None
    error: LLMStreamError | None
    at: float


class Together(AsyncIterator[News]):
    """Concurrent runs; also a context manager that ends those still running on exit.

    The iteration ends when all runs have ended. A failure of one is news; any other exception of one
    ends all of them.

    Args:
        starts: functions that each start a run.
    """

    def __init__(self, starts: Sequence[Start]) -> None:
        self._starts = starts
        self._news: asyncio.Queue[News | BaseException] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._open = set(range(len(starts)))

    async def __aenter__(self) -> Together:
        self._tasks = [
            asyncio.create_task(self._carry_out(place, start)) for place, start in enumerate(self._starts)
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __anext__(self) -> News:
        while self._open:
            news = await self._news.get()
            if isinstance(news, BaseException):
                raise news
            if news.place in self._open:
                if news.batch is None:
                    self._open.discard(news.place)
                return news
        raise StopAsyncIteration

    def stop(self, place: int) -> None:
        """Cancel a run; it yields no more news."""
        self._open.discard(place)
        self._tasks[place].cancel()

    async def _carry_out(self, place: int, start: Start) -> None:
        tell, clock = self._news.put_nowait, time.monotonic
        running = start()
        try:
            async for batch in running:
                tell(News(place, batch, None, clock()))
        except LLMStreamError as error:
            tell(News(place, None, error, clock()))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # raised where the news is read
            tell(error)
        else:
            tell(News(place, None, None, clock()))
        finally:
            await running.aclose()
