"""Puts load on models: so many requests under way (closed loop), or so many a second (open loop).

In the open loop requests are sent when they are due, whatever the others take: a server that falls
behind doesn't slow its own test down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle
from random import Random
from typing import TypeAlias

from llmstream.errors import UsageError
from llmstream.measure.samples import Sample, sampled
from llmstream.record import Record
from llmstream.runnable.runs import AsyncBatches

Ask: TypeAlias = Callable[[int], AsyncBatches]
"""Sends the request of that number to one model; warm-ups have numbers below 0."""
REQUESTS = 20


class Load(Record):
    """How much is asked of each model.

    Args:
        requests: how many are measured; None for `REQUESTS`, or without a limit where there is a duration.
        concurrency: how many are under way in the closed loop.
        rate: requests a second of the open loop, on average; None for the closed loop.
        duration: seconds after which none is sent any more, None for no limit.
        warmup: requests before the first that is measured, one after the other.
        seed: of the arrivals in the open loop, which are the same for each model.
        interleave: ask the models in turn instead of one after the other.

    Raises:
        UsageError: from `checked`.
    """

    requests: int | None = None
    concurrency: int = 1
    rate: float | None = None
    duration: float | None = None
    warmup: int = 1
    seed: int = 0
    interleave: bool = False

    def checked(self) -> Load:
        """Return the load.

        Raises:
            UsageError: a number in it makes no sense.
        """
        for name, value, least in (
            ("requests", self.requests, 1), ("concurrency", self.concurrency, 1), ("warmup", self.warmup, 0),
        ):  # fmt: skip
            if value is not None and value < least:
                raise UsageError(f"{name} must be at least {least}, not {value}")
        for name, seconds in (("rate", self.rate), ("duration", self.duration)):
            if seconds is not None and not 0 < seconds < float("inf"):
                raise UsageError(f"{name} must be a number above 0, not {seconds:g}")
        return self

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of the requests for one model."""
        if self.requests is None and self.duration is not None:
            return count()
        return iter(range(REQUESTS if self.requests is None else self.requests))


async def run(asks: Sequence[Ask], load: Load, samples: Sequence[list[Sample]]) -> None:
    """Put load on models, and add each measured request to its model's list when it has ended.

    Args:
        asks: how each model is asked.
        load: how much is asked.
        samples: a list for each model, in the same order; what is in them holds whenever this is left.
    """
    targets = list(zip(asks, samples, strict=True))
    for group in [targets] if load.interleave else [[target] for target in targets]:
        for ask, _ in group:
            for number in range(-load.warmup, 0):
                await sampled(ask(number))
        jobs = _jobs(group, load)
        await (_closed(jobs, load) if load.rate is None else _open(jobs, load, load.rate))


Job: TypeAlias = tuple[Ask, int, list[Sample]]


def _jobs(group: Sequence[tuple[Ask, list[Sample]]], load: Load) -> Iterator[Job]:
    """Yield the requests to make, one model after the other in each round."""
    numbers = [load.numbers() for _ in group]
    for (ask, samples), own in cycle(list(zip(group, numbers, strict=True))):
        number = next(own, None)
        if number is None:
            return
        yield ask, number, samples


async def _closed(jobs: Iterator[Job], load: Load) -> None:
    ends = time.monotonic() + (load.duration or float("inf"))

    async def work() -> None:
        while time.monotonic() < ends:
            job = next(jobs, None)
            if job is None:
                return
            await _measure(job)

    async with asyncio.TaskGroup() as group:
        for _ in range(load.concurrency):
            group.create_task(work())


async def _open(jobs: Iterator[Job], load: Load, rate: float) -> None:
    arrivals = Random(load.seed)  # noqa: S311  # repeatable, no secret
    began = time.monotonic()
    due = 0.0
    async with asyncio.TaskGroup() as group:
        while True:
            # times between the arrivals of a Poisson process
            due += arrivals.expovariate(rate)
            if due >= (load.duration or float("inf")):
                return
            job = next(jobs, None)
            if job is None:
                return
            await asyncio.sleep(began + due - time.monotonic())
            group.create_task(_measure(job))


async def _measure(job: Job) -> None:
    ask, number, samples = job
    samples.append(await sampled(ask(number)))
