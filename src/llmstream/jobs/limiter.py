"""Limit the rate of requests to one provider, by the user's limits and by what the provider accepts.

All requests of a job to one provider, retries included, pass its limiter. The user's requests and
tokens per minute are spread evenly, without bursts. What the provider accepts is not known in advance,
so it is probed: a refusal for overload (429, 503, 529) halves the number of concurrent requests, and
limits their rate to a little below the rate just served; answers raise the number again one by one
(additive increase, multiplicative decrease), and the rate grows slowly near the old limit, then faster
and faster, until it no longer limits anything. A Retry-After pauses all requests.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from llmstream.jobs.headers import reset_seconds

NEVER: Final = math.inf
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 10.0
"""Seconds that all requests wait after an overload without Retry-After: the first time, and at most."""
BELOW: Final = 0.95
"""After a refusal, this share of the rate found acceptable is tried."""
GENTLE: Final = 1.5
"""Seconds in which the rate grows by a thirtieth per second; after that it doubles every DOUBLING seconds."""
DOUBLING: Final = 0.7
LONG_ENOUGH: Final = 0.5
"""Shortest span, in seconds, over which the served rate is measured."""
CLOSE: Final = 1.5
"""If the tried rate is more than this multiple of the served one, the acceptable one lies between them."""
NO_LIMIT: Final = 5000.0
"""Requests per second that count as no limit."""
CATCH_UP: Final = 0.1
"""Most seconds for which a late timer may catch up."""
SLOWEST: Final = 0.2
"""Lowest rate, in requests per second."""
FIRST_GUESS: Final = 200
"""Assumed tokens of an answer before the first one."""
PATIENCE: Final = 8
"""Consecutive refusals, with a pause after each, until a provider that never answered is given up."""
LONG_PATIENCE: Final = 30
"""The same for a provider that did answer."""


class Gate(Protocol):
    """The protocol of a limiter, local or remote; the methods are those of Limiter."""

    last_success: float

    async def enter(self, tokens: int) -> int:
        """Wait for permission to send a request."""
        ...

    def leave(self, charged: int, used: int | None) -> None:
        """Report that a request has ended."""
        ...

    def answered(self, now: float) -> None:
        """Note that a request was served."""
        ...

    def overloaded(self, sent_at: float, retry_after: float | None) -> None:
        """Note that a request was refused for overload."""
        ...

    def hopeless(self) -> bool:
        """Return whether waiting longer is pointless."""
        ...

    def told(self, status: int, headers: Mapping[str, str]) -> None:
        """Note a response's head."""
        ...

    def stop(self) -> None:
        """Let no more requests pass."""
        ...


class Limiter:
    """Lets requests to one provider pass at an acceptable rate; used on a single event loop.

    Args:
        rpm: requests per minute, 0 for no limit.
        tpm: tokens per minute, 0 for no limit.
        most: most concurrent requests.
        clock: the loop's monotonic clock, in seconds.
        jitter: returns random numbers in [0, 1).
    """

    def __init__(
        self,
        rpm: float,
        tpm: float,
        most: int,
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.flying = 0
        self.stopped = False
        self.last_success = -NEVER
        self._clock = clock
        self._began = clock()
        self._jitter = jitter
        self._most = most
        self._request_gap = 60 / rpm if rpm else 0.0
        self._token_gap = 60 / tpm if tpm else 0.0
        self._next_request = self._next_token = self._next_paced = -NEVER
        self._paused_until = -NEVER
        self._wide = self._brisk = float(most)
        self._rate = NEVER
        self._used = 0.0
        self._passed_at = self._began
        self._cut_at = -NEVER
        self._refused = 0
        self._succeeded = False
        self._served = 0
        self._average = 0.0
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, tokens: int) -> int:
        """Wait for permission to send a request.

        Args:
            tokens: a rough count of the prompt's tokens; used until answers have shown the usual number.

        Returns:
            The tokens charged, for `leave`; -1 if the job was stopped.
        """
        if self.stopped:
            return -1
        charged = self._expected(tokens) if self._token_gap else 0
        if not self._waiting and self.flying < self._wide and self._opens_at() <= self._clock():
            self._pass(charged)
            return charged
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, charged))
        self._let_pass()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(charged, None)
            raise
        return -1 if self.stopped else charged

    def leave(self, charged: int, used: int | None) -> None:
        """Report that a request has ended.

        Args:
            charged: what `enter` returned.
            used: tokens that the request used, None if unknown.
        """
        self.flying -= 1
        if self._token_gap and used is not None:
            self._average += (used - self._average) * (0.1 if self._average else 1.0)
            self._next_token += (used - charged) * self._token_gap
        if self._waiting:
            self._let_pass()

    def answered(self, now: float) -> None:
        """Note that a request was served."""
        self.last_success = now
        self._succeeded = True
        self._refused = 0
        if self._wide < self._most:
            self._wide = min(self._most, self._wide + (1.0 if self._wide < self._brisk else 1 / self._wide))

    def overloaded(self, sent_at: float, retry_after: float | None) -> None:
        """Note that a request was refused for overload, and slow down all requests.

        Args:
            sent_at: when it was sent; one sent before the last slow-down adds only its `retry_after`.
            retry_after: seconds that the server asks to wait, None if it doesn't.
        """
        now = self._clock()
        if sent_at > self._cut_at:
            self._refused += 1
            self._slow_down(now)
            pause = min(FIRST_PAUSE * 2.0 ** (self._refused - 1), LONGEST_PAUSE)
            if not retry_after:
                self.pause(pause * (0.75 + self._jitter() / 2))
        if retry_after:
            self.pause(retry_after + self._jitter() * 0.05)
        self._let_pass()

    def _slow_down(self, now: float) -> None:
        # between two refusals the provider accepted at least what it served, and less than was
        # tried at the end; before the first refusal it may have allowed a burst
        first = self._cut_at == -NEVER
        span = now - (self._began if first else self._cut_at)
        served = self._served / max(span, LONG_ENOUGH)
        if first:
            # half of the requests in flight may still be accepted
            served = (self._served + self.flying / 2) / max(span, 1.0)
        tried = self._now_rate()
        if tried < NEVER and tried > CLOSE * served:
            served = math.sqrt(served * tried) if served else tried / 2
        self._rate = max(SLOWEST, BELOW * min(served, tried))
        self._cut_at, self._served, self._used = now, 0, 0.0
        self._brisk = 0.85 * min(self._wide, self.flying)
        self._wide = max(1.0, math.floor(min(self._wide, self.flying) / 2))

    def pause(self, seconds: float) -> None:
        """Let no request pass for some seconds."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def hopeless(self) -> bool:
        """Return whether there were so many consecutive refusals that waiting longer is pointless."""
        return self._refused >= (LONG_PATIENCE if self._succeeded else PATIENCE)

    def told(self, status: int, headers: Mapping[str, str]) -> None:
        """Note a response's head: whether the request was accepted, and the limits in its headers."""
        if status < 300:
            self._served += 1
        wait = reset_seconds(headers)
        if wait is not None:
            self.pause(wait)

    def stop(self) -> None:
        """Let no more requests pass; for waiting ones, `enter` returns -1."""
        self.stopped = True
        while self._waiting:
            turn, _ = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
        if self._timer is not None:
            self._timer.cancel()

    def _expected(self, tokens: int) -> int:
        return round(self._average) or tokens + FIRST_GUESS

    def _pass(self, charged: int) -> None:
        now = self._clock()
        self.flying += 1
        late = now - CATCH_UP
        if self._request_gap:
            self._next_request = max(self._next_request, late) + self._request_gap
        if self._token_gap:
            self._next_token = max(self._next_token, now) + charged * self._token_gap
        if self._rate < NEVER:
            rate = self._now_rate()
            self._used += min(now - self._passed_at, 1.5 / rate)
            if rate > NO_LIMIT:
                self._rate = NEVER
            else:
                self._next_paced = max(self._next_paced, late) + 1 / rate
        self._passed_at = now

    def _opens_at(self) -> float:
        return max(self._next_request, self._next_token, self._next_paced, self._paused_until)

    def _now_rate(self) -> float:
        """Return the current rate, in requests per second.

        It grows only while it is used: nothing is learnt while all requests wait for long answers.
        """
        if self._rate == NEVER:
            return NEVER
        used = self._used
        if used < GENTLE:
            return self._rate * (1 + used / 30)
        doublings: float = 2.0 ** min((used - GENTLE) / DOUBLING, 60.0)
        return self._rate * (1 + GENTLE / 30) * doublings

    def _let_pass(self) -> None:
        """Let the next requests pass, and set the timer for those after them."""
        waiting = self._waiting
        while waiting and self.flying < self._wide:
            turn, charged = waiting[0]
            if turn.done():
                waiting.popleft()
                continue
            opens = self._opens_at()
            if opens > self._clock():
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = asyncio.get_running_loop().call_at(opens, self._let_pass)
                return
            waiting.popleft()
            self._pass(charged)
            turn.set_result(None)
