"""Effects on sockets, for event loops; the async counterpart of `sync`.

Our own instead of httpx to save CPU: 195 µs per answer against 595, 7.6 µs per token against 15.4.
"""

from __future__ import annotations

import threading
import time

from llmstream.engine.effects import Effect, Head, Keep, Open, Read, Reply
from llmstream.errors import Cancelled
from llmstream.transport.http.answer import Answer
from llmstream.transport.http.channels import Channel
from llmstream.transport.http.common import DIRECT, Connection, signed
from llmstream.transport.http.connect import Wait, Waiting
from llmstream.transport.http.errors import reading_error
from llmstream.transport.http.exchange import Way, exchanged, way_to
from llmstream.transport.http.parser import NotHttp
from llmstream.transport.http.pool import POOL, Key, Link, Pool
from llmstream.transport.http.sync import LAST_BYTES
from llmstream.transport.http.waiting import ready_of
from llmstream.transport.http.watching import Watch
from llmstream.transport.patience import Patience


class AsyncHttpTransport:
    """Carries out the effects of one run after another, on the loop that is running at the first Open.

    After a complete response the connection stays here, registered with the loop, until the loop's next
    iteration: a request that follows at once, as in a batch, reuses it.  Otherwise it goes to the pool.

    Args:
        pool: keeps idle connections; None for the process's own pool.
    """

    def __init__(self, pool: Pool | None = None) -> None:
        self._pool = POOL if pool is None else pool
        self._answer: Answer | None = None
        self._channel: Channel | None = None
        self._way: tuple[str, Connection, Way] | None = None
        self._warm: Link | None = None
        self._begun: Waiting[Answer] | None = None
        self._patience = Patience()
        self._watch: Watch | None = None
        self._stopped = False
        self._thread = 0

    def begin(self, effect: Open) -> None:
        """Send a request at once, before a loop runs; performing the effect later continues from there.

        A request that must be signed is not sent yet.

        Raises:
            LLMStreamError: sending failed; the message does not name the provider.
        """
        route = effect.route if isinstance(effect.route, Connection) else DIRECT
        if route.aws_region:
            return  # signing may block: it reads files and may contact AWS
        self._patience.arm(effect.deadline)
        way = self._way_to(effect.request.url, route)
        self._begun = _sent_at_once(exchanged(effect, way, self._take, self._hold), self._patience)

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return its result.

        Raises:
            LLMStreamError: the effect failed; the message does not name the provider.
        """
        if type(effect) is Read:
            return await self._read(effect.deadline)
        if isinstance(effect, Open):
            return await self._open(effect)
        if isinstance(effect, Keep):
            await self._keep()
        else:
            self._drop()
        return None

    def stop(self) -> None:
        """End the current wait and every later one at once; from any thread."""
        self._stopped = True
        watch = self._watch
        if watch is None or watch.loop.is_closed():
            self._drop()
        elif threading.get_ident() == self._thread:
            self._end()
        else:
            try:
                watch.loop.call_soon_threadsafe(self._end)
            except RuntimeError:  # it was closed meanwhile
                self._drop()

    async def aclose(self) -> None:
        """End the run without waiting; the connection of a complete response goes to the pool."""
        if self._thread == threading.get_ident():
            # before `stop`, after which no connection is kept
            self._drop()
        self.stop()

    def _end(self) -> None:
        if self._watch is not None:
            self._watch.wake()
        self._drop()

    def _drop(self) -> None:
        answer, channel, warm, begun = self._answer, self._channel, self._warm, self._begun
        self._answer = self._channel = self._warm = self._begun = None
        if begun is not None:
            begun.close()
        if self._watch is not None:
            self._watch.leave()
        if warm is not None:
            self._pool.keep(warm)
        if answer is not None:
            if answer.whole and not self._stopped:
                self._pool.keep(answer.link)
            else:
                answer.link.close()
        elif channel is not None:
            channel.shut_down()

    async def _keep(self) -> None:
        """Keep the connection for the next request, even if the end of the body arrives a moment later."""
        answer, watch = self._answer, self._watch
        if answer is not None and watch is not None and not self._stopped and answer.parser.reusable:
            try:
                if not answer.drained():
                    answer.link.channel.hurry_up()
                    await watch.ready(Wait((answer.link.channel.sock,)), LAST_BYTES)
                    if not answer.drained() and answer.parser.reusable and self._answer is answer:
                        self._answer = self._channel = None
                        self._pool.keep(answer.link, answer.drained)
            except (OSError, NotHttp):
                answer.link.close()
            if self._answer is answer and answer.whole and not self._stopped:
                self._answer, self._channel, self._warm = None, None, answer.link
                watch.loop.call_soon(self._cool)
                return
        self._drop()

    def _cool(self) -> None:
        """Return the connection to the pool if it was not reused at once."""
        if self._warm is not None:
            self._drop()

    def _take(self, key: Key) -> Link | None:
        """Return a kept connection, preferring the one just used."""
        link, self._warm = self._warm, None
        if link is not None:
            alike = link.key == key
            if alike and not link.stale():
                return link
            if self._watch is not None:
                self._watch.leave()
            if alike:
                link.close()
            else:
                self._pool.keep(link)
        return self._pool.take(key)

    async def _open(self, effect: Open) -> Head:
        steps, self._begun = self._begun, None
        if steps is None and (self._answer is not None or self._channel is not None):
            self._drop()
        watch = self._watch
        if watch is None:
            import asyncio

            self._watch = watch = Watch(asyncio.get_running_loop(), self._patience)
            self._thread = threading.get_ident()
        try:
            self._answer = answer = await self._driven(steps or await self._steps(effect), watch)
        except BaseException:
            watch.leave()
            raise
        if self._stopped:
            self._drop()
            raise Cancelled("the answer was closed")
        return answer.head

    async def _steps(self, effect: Open) -> Waiting[Answer]:
        """Return the steps from a request to its response."""
        route = effect.route if isinstance(effect.route, Connection) else DIRECT
        if route.aws_region:
            import asyncio

            # signing reads files and may contact AWS
            effect = await asyncio.to_thread(signed, effect, route)
        self._patience.arm(effect.deadline)
        way = self._way_to(effect.request.url, route)
        return exchanged(effect, way, self._take, self._hold)

    def _way_to(self, url: str, route: Connection) -> Way:
        """Return the way to a URL, cached, so that the environment is read once for many requests to it."""
        if self._way is None or self._way[:2] != (url, route):
            self._way = url, route, way_to(url, route)
        return self._way[2]

    def _hold(self, channel: Channel) -> None:
        self._channel = channel
        if self._stopped:
            channel.shut_down()

    async def _driven(self, steps: Waiting[Answer], watch: Watch) -> Answer:
        patience, clock = self._patience, watch.loop.time
        try:
            wait = next(steps)
            while not self._stopped:
                if wait.head:
                    await watch.news(wait.sockets[0], None)
                    ready = wait.sockets
                else:
                    ready = await watch.ready(wait, patience.slice(clock(), wait.seconds))
                    patience.woke(clock())
                if self._stopped:
                    break
                wait = steps.send(ready)
        except StopIteration as end:
            answer: Answer = end.value
            return answer
        finally:
            steps.close()
        raise Cancelled("the answer was closed")

    async def _read(self, deadline: float) -> bytes:
        answer, watch = self._answer, self._watch
        if answer is None or watch is None or self._stopped:
            raise Cancelled("the answer was closed")
        self._patience.arm(deadline)
        try:
            data = answer.held()
            if data and answer.unfolds:
                import asyncio

                # decompressed data may be endless and never reach a wait: check the deadline, let others run
                self._patience.slice(watch.loop.time())
                await asyncio.sleep(0)
            while data is None:
                if answer.buffered:
                    data = answer.pull()
                else:
                    data = await watch.news(answer.link.channel.sock, answer.pull)
                if self._stopped:
                    raise Cancelled("the answer was closed")
        except (OSError, NotHttp) as error:
            if self._stopped:
                raise Cancelled("the answer was closed") from error
            raise reading_error(error) from error
        return data


def _sent_at_once(steps: Waiting[Answer], patience: Patience) -> Waiting[Answer]:
    """Carry out steps until the request is sent, waiting on this thread, and return the remaining ones."""
    try:
        wait = next(steps)
        while not wait.head:
            seconds = patience.slice(time.monotonic(), wait.seconds)
            ready = ready_of(wait.sockets, wait.writing, seconds)
            patience.woke(time.monotonic())
            wait = steps.send(ready)
    except StopIteration as end:
        return _answered(end.value)
    except BaseException:
        steps.close()
        raise
    return _going_on(steps, wait)


def _going_on(steps: Waiting[Answer], wait: Wait) -> Waiting[Answer]:
    """Return the remaining steps, of which the next wait is already known."""
    try:
        while True:
            wait = steps.send((yield wait))
    except StopIteration as end:
        answer: Answer = end.value
        return answer
    finally:
        steps.close()


def _answered(answer: Answer) -> Waiting[Answer]:
    """Return the steps to a response that has already arrived: none."""
    yield from ()
    return answer
