"""Ask one question once through the engine and collect the answer: the hot path of a job."""

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
    """A worker's connection, used for one question after another.

    Args:
        clock: the loop's monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._http: AsyncTransport | None = None

    async def ask(self, plan: Plan, meter: Meter, limiter: Gate) -> None:
        """Send one request and pass its events to a meter.

        Args:
            plan: a plan with one target, which is asked once.
            meter: receives the events.
            limiter: receives the response's status and headers.

        Raises:
            LLMStreamError: it failed; earlier events were passed on.
        """
        clock, write, told = self._clock, meter.write, limiter.told

        def take(batch: Batch) -> None:
            write(batch, clock())

        def opened(head: Head) -> None:
            told(head.status, head.headers)

        http = by_http(plan.targets[0])
        transport = (self._http if http else None) or async_transport_for(plan)
        if http:
            # kept open for the next question
            self._http = transport
        try:
            await carry_out(steps_of(plan), transport, take, opened)
        finally:
            if not http:
                await transport.aclose()

    async def aclose(self) -> None:
        """Close what is open."""
        if self._http is not None:
            await self._http.aclose()
