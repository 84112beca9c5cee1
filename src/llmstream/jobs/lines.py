"""Has the engine ask one question once, and gathers what comes: the way of every answer of a job."""

from __future__ import annotations

from collections.abc import Callable

from llmstream.engine.effects import Batch, Head
from llmstream.engine.meter import Meter
from llmstream.jobs.limiter import Gate
from llmstream.runnable.calls import async_transport_for, by_http, steps_of
from llmstream.runnable.plan import Plan
from llmstream.transport.async_driver import carry_out
from llmstream.transport.drivers import AsyncTransport


class Line:
    """What one worker asks over, one question after the other.

    Args:
        clock: monotonic seconds, the loop's.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._http: AsyncTransport | None = None

    async def ask(self, plan: Plan, meter: Meter, limiter: Gate) -> None:
        """Send one request and have a meter take what comes of it.

        Args:
            plan: with one target, which is asked once.
            meter: takes the events.
            limiter: is shown the head of the answer.

        Raises:
            LLMStreamError: it failed; what had come before was taken.
        """
        clock, write, told = self._clock, meter.write, limiter.told

        def take(batch: Batch) -> None:
            write(batch, clock())

        def opened(head: Head) -> None:
            told(head.status, head.headers)

        http = by_http(plan.targets[0])
        transport = (self._http if http else None) or async_transport_for(plan)
        if http:
            # its connection is there for the next question
            self._http = transport
        try:
            await carry_out(steps_of(plan), transport, take, opened)
        finally:
            if not http:
                await transport.aclose()

    async def aclose(self) -> None:
        """Give up what is open."""
        if self._http is not None:
            await self._http.aclose()
