"""Drivers that carry out a conversation on an event loop; `AsyncRun` is the async form of `drivers.Run`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from llmstream.engine.effects import Batch, Call, Effect, Head, Open, Prepare, Read, Reply, Sleep, Steps
from llmstream.errors import Cancelled, LLMStreamError
from llmstream.transport.drivers import KEEP, AsyncTransport

if TYPE_CHECKING:
    import asyncio


class AsyncRun(AsyncIterator[Batch]):
    """A conversation's batches, for one reader, on the event loop on which it reads the first batch.

    Args:
        steps: the conversation.
        transport: carries its effects out; closed with the run.
    """

    def __init__(self, steps: Steps, transport: AsyncTransport) -> None:
        self._steps = steps
        self._transport = transport
        self._begun: Effect | Batch | None = None
        self._reading = False
        self._pause: asyncio.Future[None] | None = None
        self._closing = False
        self._ended = False

    @property
    def closed(self) -> bool:
        """Whether the run was closed, perhaps before its end."""
        return self._closing

    def begin(self, take: Callable[[Batch], None], send: Callable[[Open], None]) -> None:
        """Send the first request before an event loop runs; reading the run continues from there.

        If preparing the call may block, nothing is sent.

        Args:
            take: called with each batch that precedes the request.
            send: starts to carry out the Open; the transport gets it later, on the loop.

        Raises:
            LLMStreamError: the run failed.
        """
        steps = self._steps
        step = steps.send(None)
        while type(step) is list or (isinstance(step, Prepare) and not step.slow):
            if type(step) is list:
                take(step)
                step = steps.send(None)
                continue
            assert isinstance(step, Prepare)
            step = self._replied(step)
        if isinstance(step, Open):
            try:
                send(step)
            except LLMStreamError as error:
                step = steps.throw(error)
        self._begun = step

    def _replied(self, effect: Prepare) -> Effect | Batch:
        try:
            call = effect.make()
        except LLMStreamError as error:
            return self._steps.throw(error)
        return self._steps.send(call)

    async def __anext__(self) -> Batch:
        if self._ended or self._closing:
            await self._end()
            raise StopAsyncIteration
        self._reading = True
        try:
            batch = await self._next()
            if batch is None:
                await self._end(keep=not self._closing)
                raise StopAsyncIteration
            return batch
        except StopAsyncIteration:
            raise
        except GeneratorExit:
            # the task is being destroyed after its loop has gone, so nothing can be awaited
            self._leave()
            raise
        except BaseException as error:
            await self._end()
            if self._closing and isinstance(error, LLMStreamError):
                raise StopAsyncIteration from None
            raise
        finally:
            self._reading = False

    async def _next(self) -> Batch | None:
        """Return the next batch, None at the end."""
        steps, perform = self._steps, self._transport.perform
        try:
            step, self._begun = self._begun, None
            if step is None:
                step = steps.send(None)
            while type(step) is not list:
                try:
                    # Read is tested first: every token takes this path
                    reply = await perform(step) if type(step) is Read else await self._carried_out(step)  # type: ignore[arg-type]  # no list: an effect
                except LLMStreamError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(reply)
        except StopIteration:
            return None
        return step

    async def _carried_out(self, effect: Effect) -> Reply:
        if isinstance(effect, Prepare):
            return await self._prepared(effect) if effect.slow else effect.make()
        if isinstance(effect, Sleep):
            await self._unless_closed(effect.seconds)
            return None
        return await self._transport.perform(effect)

    async def _prepared(self, effect: Prepare) -> Call:
        import asyncio

        making = asyncio.ensure_future(asyncio.to_thread(effect.make))
        try:
            await self._unless_closed(None, making)
            return making.result()
        finally:
            making.cancel()

    async def _unless_closed(self, seconds: float | None, *others: asyncio.Future[Call]) -> None:
        """Wait for at most `seconds` (None for no limit), or until one of `others` is done.

        Raises:
            Cancelled: the run was closed meanwhile.
        """
        import asyncio

        self._pause = pause = asyncio.get_running_loop().create_future()
        try:
            if not self._closing:
                await asyncio.wait({pause, *others}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._pause = None
        if self._closing:
            raise Cancelled("the answer was closed")

    async def aclose(self) -> None:
        """End the run and its connection; from any task or thread; may be called again."""
        self._closing = True
        if self._ended:
            return
        self._stop()
        # if a task is reading, it ends the run
        if not self._reading:
            await self._end()

    def close(self) -> None:
        """Like `aclose`, but not async: it does not wait, for example for a process to end."""
        self._closing = True
        if not self._ended:
            self._stop()
            if not self._reading:
                self._leave()

    def _stop(self) -> None:
        self._transport.stop()
        pause = self._pause
        if pause is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                pause.get_loop().call_soon_threadsafe(_wake, pause)

    async def _end(self, *, keep: bool = False) -> None:
        if self._ended:
            return
        self._ended = True
        try:
            self._steps.close()
            if keep:
                await self._transport.perform(KEEP)
        finally:
            await self._transport.aclose()

    def _leave(self) -> None:
        if not self._ended:
            self._ended = True
            self._steps.close()
            self._transport.stop()

    def __del__(self) -> None:
        self.close()


async def carry_out(
    steps: Steps, transport: AsyncTransport, take: Callable[[Batch], None], opened: Callable[[Head], None]
) -> None:
    """Carry out a conversation and pass on each batch as it arrives.

    Costs half as much as an AsyncRun, which other tasks may close.  The caller closes the transport; until
    then it can be used again, unless this was cancelled or failed with an error other than LLMStreamError.

    Args:
        steps: the conversation.
        transport: carries its effects out.
        take: called with each batch.
        opened: called with the head of each response.

    Raises:
        LLMStreamError: the conversation failed; earlier events were already passed to `take`.
    """
    perform = transport.perform
    try:
        step = steps.send(None)
        while True:
            if type(step) is list:
                take(step)
                step = steps.send(None)
                continue
            try:
                kind = type(step)
                reply = await (_done_here(step) if kind is Prepare or kind is Sleep else perform(step))  # type: ignore[arg-type]  # no list: an effect
            except LLMStreamError as error:
                step = steps.throw(error)
                continue
            if type(reply) is Head:
                opened(reply)
            step = steps.send(reply)
    except StopIteration:
        await perform(KEEP)
    finally:
        steps.close()


async def _done_here(effect: Prepare | Sleep) -> Reply:
    if isinstance(effect, Prepare) and not effect.slow:
        return effect.make()
    import asyncio

    if isinstance(effect, Prepare):
        return await asyncio.to_thread(effect.make)
    await asyncio.sleep(effect.seconds)
    return None


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
