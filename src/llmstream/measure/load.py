"""Put load on models: a number of requests in flight (closed loop) or per second (open loop).

In the open loop, requests are sent when they are due, however many are in flight: a slow server doesn't
slow down its own test.
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
"""Sends the request with a given number to one model; warm-up requests have numbers below 0."""
REQUESTS = 20
"""The default number of measured requests to each model."""


class Load(Record):
    """The load on each model.

    Args:
        requests: number of measured requests; None for `REQUESTS`, or for no limit if there is a duration.
        concurrency: requests in flight in the closed loop.
        rate: average requests per second of the open loop; None for the closed loop.
        duration: seconds after which no more requests are sent, None for no limit.
        warmup: number of requests before the measured ones, sent one after the other.
        seed: seed of the open loop's arrival times, which are the same for each model unless interleaved.
        interleave: alternate between the models instead of measuring one after the other; they then
            share `concurrency`, `rate` and `duration`.
    """

    requests: int | None = None
    concurrency: int = 1
    rate: float | None = None
    duration: float | None = None
    warmup: int = 1
    seed: int = 0
    interleave: bool = False

    def checked(self) -> Load:
        """Return this load if it is valid.

        Raises:
            UsageError: a number in it is too small or not finite.
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
        """Yield the numbers of one model's measured requests, from 0."""
        if self.requests is None and self.duration is not None:
            return count()
        return iter(range(REQUESTS if self.requests is None else self.requests))


async def run(asks: Sequence[Ask], load: Load, samples: Sequence[list[Sample]]) -> None:
    """Put load on models, and append each measured request to its model's list when it ends.

    Args:
        asks: a function for each model, which sends a request to it.
        load: the load on each.
        samples: a list for each model, in the same order; after a cancellation, with the requests so far.
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
    """Yield the requests to send: each round has one for each model."""
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
            # the times between arrivals of a Poisson process
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
