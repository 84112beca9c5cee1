"""Iterate over one run's pieces: text, events, dictionaries, or whatever is made of its batches.

These are classes, not generators, because a generator that is closed while it runs, from another thread
or by an ending loop, raises an error; these can be closed from anywhere, at any time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from llmstream.engine.effects import Batch
from llmstream.errors import LLMStreamError
from llmstream.runnable.runs import AsyncBatches, Batches

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class Pieces(Generic[T]):
    """Converts a run's batches into pieces; subclasses define how."""

    def begin(self) -> Sequence[T]:
        """Return the pieces before the run starts."""
        return ()

    def batch(self, batch: Batch) -> Sequence[T]:
        """Return the pieces of a batch."""
        raise NotImplementedError

    def end(self, *, closed: bool) -> Sequence[T]:
        """Return the last pieces; they are not yielded if the run was closed."""
        return ()

    def failed(self, error: LLMStreamError) -> Sequence[T]:
        """Return the pieces before an error is raised."""
        return ()

    def left(self, error: BaseException) -> None:
        """Note an exception that is not ours."""

    def dropped(self, pieces: Iterable[T]) -> None:
        """Note the pieces that are not yielded because the run was closed."""


class _Flow(Generic[T]):
    """The pieces not yielded yet; shared by threads and loops."""

    def __init__(self, pieces: Pieces[T]) -> None:
        self.pieces = pieces
        self.ready: deque[T] = deque()
        self.begun = False
        self.over = False
        self.failure: LLMStreamError | None = None

    def begin(self) -> None:
        self.begun = True
        self.ready.extend(self.pieces.begin())

    def end(self, *, closed: bool) -> None:
        if not self.over:
            self.over = True
            last = self.pieces.end(closed=closed)
            if not closed:
                self.ready.extend(last)

    def fail(self, error: LLMStreamError) -> None:
        """Note an error, to be raised after the pieces before it."""
        self.over = True
        self.ready.extend(self.pieces.failed(error))
        self.failure = error

    def leave(self, error: BaseException) -> None:
        self.over = True
        self.pieces.left(error)

    def close(self) -> None:
        self.end(closed=True)
        self.pieces.dropped(self.ready)
        self.ready.clear()
        self.failure = None

    def raise_failure(self) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure


class Flow(Iterator[T]):
    """One run's pieces; also a context manager that ends the request on exit.

    Args:
        start: starts the run.
        pieces: converts its batches.
    """

    def __init__(self, start: Callable[[], Batches], pieces: Pieces[T]) -> None:
        self._start = start
        self._flow = _Flow(pieces)
        self._run: Batches | None = None

    def __next__(self) -> T:
        flow = self._flow
        while True:
            try:
                return flow.ready.popleft()
            except IndexError:
                pass
            if flow.over:
                flow.raise_failure()
                raise StopIteration
            if not flow.begun:
                flow.begin()
                continue
            run = self._run
            if run is None:
                self._run = run = self._start()
            try:
                flow.ready.extend(flow.pieces.batch(next(run)))
            except StopIteration:
                flow.end(closed=run.closed)
            except LLMStreamError as error:
                flow.fail(error)
            except BaseException as error:
                flow.leave(error)
                raise

    def close(self) -> None:
        """End the request, so that the provider stops generating.

        May be called from any thread, repeatedly, and while another thread waits for the next piece,
        which then finds the end.
        """
        run = self._run
        if run is not None:
            run.close()
        self._flow.close()

    def __enter__(self) -> Flow[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncFlow(AsyncIterator[T]):
    """The asynchronous form of `Flow`; cancelling the task also ends the request."""

    def __init__(self, start: Callable[[], AsyncBatches], pieces: Pieces[T]) -> None:
        self._start = start
        self._flow = _Flow(pieces)
        self._run: AsyncBatches | None = None
        self._reading = False
        self._turns: list[asyncio.Future[None]] = []

    async def __anext__(self) -> T:
        flow = self._flow
        while True:
            try:
                return flow.ready.popleft()
            except IndexError:
                pass
            if flow.over:
                flow.raise_failure()
                raise StopAsyncIteration
            if not flow.begun:
                flow.begin()
                continue
            if self._reading:
                await self._turn()
                continue
            run = self._run
            if run is None:
                self._run = run = self._start()
            self._reading = True
            try:
                flow.ready.extend(flow.pieces.batch(await run.__anext__()))
            except StopAsyncIteration:
                flow.end(closed=run.closed)
            except LLMStreamError as error:
                flow.fail(error)
            except BaseException as error:
                flow.leave(error)
                raise
            finally:
                self._reading = False
                if self._turns:
                    self._next_turns()

    async def _turn(self) -> None:
        """Wait for another reader's batch, which may contain a piece for this one too."""
        import asyncio

        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        await turn

    def _next_turns(self) -> None:
        turns, self._turns = self._turns, []
        for turn in turns:
            if not turn.done():
                turn.set_result(None)

    async def aclose(self) -> None:
        """End the request, so that the provider stops generating.

        May be called from any task, repeatedly, and while another task waits for the next piece, which
        then finds the end.
        """
        run = self._run
        self._flow.close()
        if run is not None:
            await run.aclose()

    async def __aenter__(self) -> AsyncFlow[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
