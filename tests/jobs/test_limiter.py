"""The limiter, on a loop whose time is made: minutes pass at once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

import pytest

from llmstream.jobs.headers import reset_seconds, seconds
from llmstream.jobs.limiter import Limiter


class FastLoop(asyncio.SelectorEventLoop):
    """A loop that doesn't wait: when nothing is left to do now, it is the time of the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    loop = FastLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


class Server:
    """A provider that refuses what goes beyond a token bucket, until a moment."""

    def __init__(self, rate: float, burst: int, until: float = math.inf, form: str = "none") -> None:
        self.rate, self.burst, self.until, self.form = rate, burst, until, form
        self.level, self.at, self.refused = float(burst), 0.0, 0

    def wait(self, now: float) -> float:
        if now >= self.until:
            return 0.0
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        self.refused += 1
        return (1 - self.level) / self.rate


async def job(server: Server, prompts: int, jobs: int, takes: float, limiter: Limiter) -> float:
    """Ask so many prompts and return when the last one is answered."""
    loop = asyncio.get_running_loop()
    left = iter(range(prompts))

    async def worker() -> None:
        for _ in left:
            while True:
                await limiter.enter(1)
                sent = loop.time()
                wait = server.wait(sent)
                if not wait:
                    break
                await asyncio.sleep(0.001)
                after = {"none": None, "s": math.ceil(wait), "ms": math.ceil(wait * 1000) / 1000}[server.form]
                limiter.overloaded(sent, after)
                limiter.leave(0, None)
            await asyncio.sleep(takes)
            limiter.told(200, {})
            limiter.answered(loop.time())
            limiter.leave(0, None)

    await asyncio.gather(*(worker() for _ in range(jobs)))
    return loop.time()


@pytest.mark.parametrize(
    ("rate", "burst", "prompts", "jobs", "takes", "form", "most"),
    [
        (40, 20, 240, 16, 0.03, "s", 12.0),
        (40, 8, 240, 16, 0.03, "ms", 11.0),
        (40, 8, 200, 16, 0.03, "none", 9.0),
        (2, 2, 60, 16, 1.0, "none", 36.0),
        (100, 10, 2000, 64, 0.05, "none", 36.0),
        (8, 8, 300, 32, 5.0, "none", 120.0),
    ],
)
def test_a_providers_own_limit_is_found_with_few_refusals(
    rate: float, burst: int, prompts: int, jobs: int, takes: float, form: str, most: float
) -> None:
    server = Server(rate, burst, form=form)

    async def whole() -> float:
        return await job(server, prompts, jobs, takes, Limiter(0, 0, jobs, asyncio.get_running_loop().time))

    assert run(whole()) < most
    assert server.refused < 2 * jobs + 0.1 * prompts


def test_full_speed_comes_back_when_the_limit_is_gone() -> None:
    server = Server(15, 4, until=3.0)

    async def whole() -> float:
        return await job(server, 700, 16, 0.03, Limiter(0, 0, 16, asyncio.get_running_loop().time))

    assert run(whole()) < 13.0


def test_requests_a_minute_are_spread_evenly() -> None:
    times: list[float] = []

    async def whole() -> None:
        loop = asyncio.get_running_loop()
        limiter = Limiter(60, 0, 16, loop.time)

        async def one() -> None:
            await limiter.enter(1)
            times.append(loop.time())
            limiter.leave(0, 1)

        await asyncio.gather(*(one() for _ in range(90)))

    run(whole())
    assert times[0] == 0.0
    assert all(0.85 < later - earlier < 1.15 for earlier, later in pairwise(times))


@pytest.mark.parametrize("guess", [1, 1000])
def test_tokens_a_minute_hold_however_wrong_the_first_guess_is(guess: int) -> None:
    used = 0

    async def whole() -> float:
        nonlocal used
        loop = asyncio.get_running_loop()
        limiter = Limiter(0, 6000, 8, loop.time)

        async def worker() -> None:
            nonlocal used
            while loop.time() < 60:
                charged = await limiter.enter(guess)
                await asyncio.sleep(0.5)
                used += 100
                limiter.leave(charged, 100)

        await asyncio.gather(*(worker() for _ in range(8)))
        return loop.time()

    run(whole())
    assert 4800 < used < 7500


def test_a_retry_after_stops_all_and_nobody_slips_through() -> None:
    async def whole() -> list[float]:
        loop = asyncio.get_running_loop()
        limiter = Limiter(0, 0, 4, loop.time, lambda: 0.5)
        entered: list[float] = []

        async def one(number: int) -> None:
            await limiter.enter(1)
            entered.append(loop.time())
            if number == 0:
                limiter.overloaded(loop.time(), 5.0)
            else:
                await asyncio.sleep(0.1)
                limiter.answered(loop.time())
            limiter.leave(0, None)

        await asyncio.gather(*(one(number) for number in range(12)))
        return entered

    entered = run(whole())
    assert entered[0] == 0.0
    assert min(entered[1:]) > 5.0


def test_who_waits_is_told_when_the_job_ends_and_a_cancelled_one_leaves_no_hole() -> None:
    async def whole() -> list[int]:
        limiter = Limiter(0, 0, 1, asyncio.get_running_loop().time)
        assert await limiter.enter(1) >= 0
        waiting = [asyncio.ensure_future(limiter.enter(1)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        limiter.leave(0, None)
        second = await waiting[1]
        limiter.stop()
        return [second, await waiting[2], await limiter.enter(1), limiter.flying]

    assert run(whole()) == [0, -1, -1, 1]


def test_a_provider_that_never_answers_is_given_up_after_a_while() -> None:
    async def whole() -> float:
        loop = asyncio.get_running_loop()
        limiter = Limiter(0, 0, 8, loop.time)
        while not limiter.hopeless():
            await limiter.enter(1)
            limiter.overloaded(loop.time(), None)
            limiter.leave(0, None)
        return loop.time()

    assert 10 < run(whole()) < 60


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("7", 7.0),
        ("", None),
        ("soon", None),
    ],
)
def test_times_of_rate_limit_headers(text: str, right: float | None) -> None:
    assert seconds(text) == right


def test_a_limit_that_is_used_up_is_waited_for_and_one_of_the_day_is_not() -> None:
    used_up = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20ms"}
    assert reset_seconds(used_up) == 0.02
    assert reset_seconds({**used_up, "x-ratelimit-reset-requests": "17h"}) is None
    assert reset_seconds({**used_up, "x-ratelimit-remaining-requests": "3"}) is None
    ahead = {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2020-01-01T00:00:00Z",
    }
    assert reset_seconds(ahead) is None
