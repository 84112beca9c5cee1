"""How fast one provider is asked: what the user allows, and what the provider can take.

All requests of a job to one provider, the repeated ones too, pass its limiter.  The user's requests
and tokens a minute are spread evenly: a bucket without a stock.  What the provider can take is not
known before, so it is looked for: a refusal for overload (429, 503, 529) halves how many requests
run at once, and holds their rate a little below what was just answered; answers bring the number
back one by one (additive increase, multiplicative decrease), and the rate comes back slowly near
the old limit, then faster and faster, until it is no limit any more.  A Retry-After stops all.
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
"""Seconds that all wait after an overload without Retry-After: the first time, and at most."""
BELOW: Final = 0.95
"""Share of what the provider was found to take that is tried after a refusal."""
GENTLE: Final = 1.5
"""Seconds in which the rate grows by a thirtieth a second; then it doubles every DOUBLING."""
DOUBLING: Final = 0.7
LONG_ENOUGH: Final = 0.5
"""Seconds between two refusals over which the answers show what the provider takes."""
CLOSE: Final = 1.5
"""How many times what was served may be tried for it to be what the provider takes."""
NO_LIMIT: Final = 5000.0
"""Requests a second that are as good as any number."""
CATCH_UP: Final = 0.1
"""Seconds that a late timer may make good."""
SLOWEST: Final = 0.2
"""Requests a second below which the rate does not fall."""
FIRST_GUESS: Final = 200
"""Tokens of an answer before any has come."""
PATIENCE: Final = 8
"""Refusals in a row, each after a longer pause, after which a provider that never answered is given up."""
LONG_PATIENCE: Final = 30
"""The same for one that did answer."""


class Gate(Protocol):
    """What a job asks of a limiter, near or far; each method as Limiter's."""

    last_success: float

    async def enter(self, tokens: int) -> int:
        """Wait for a place and a turn."""
        ...

    def leave(self, charged: int, used: int | None) -> None:
        """Give the place back."""
        ...

    def answered(self, now: float) -> None:
        """Note that a request was served."""
        ...

    def overloaded(self, sent_at: float, retry_after: float | None) -> None:
        """Note that a request was refused for overload."""
        ...

    def hopeless(self) -> bool:
        """Return whether waiting longer makes no sense."""
        ...

    def told(self, status: int, headers: Mapping[str, str]) -> None:
        """Note an answer's head."""
        ...

    def stop(self) -> None:
        """Let nobody pass any more."""
        ...


class Limiter:
    """Lets requests to one provider pass.  Used on one event loop.

    Args:
        rpm: requests a minute, 0 for any number.
        tpm: tokens a minute, 0 for any number.
        most: requests at once.
        clock: monotonic seconds, the loop's.
        jitter: gives random numbers in [0, 1).
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
        """Wait for a place and a turn.

        Args:
            tokens: how many the request will take, as far as that is known.

        Returns:
            The tokens that were charged, for `leave`; -1 when the job has been stopped.
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
        """Give the place back.

        Args:
            charged: what `enter` returned.
            used: tokens that the request took, None when that is not known.
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
        """Note that a request was refused for overload, and slow all down.

        Args:
            sent_at: when it was sent.  What was sent before the last slowing down says nothing new.
            retry_after: seconds that the server asks to wait, None when it asks for nothing.
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
        # from one refusal to the next the provider took at least what it served, and less than what was
        # tried at the end; before the first one it may have had a stock
        first = self._cut_at == -NEVER
        span = now - (self._began if first else self._cut_at)
        served = self._served / max(span, LONG_ENOUGH)
        if first:
            # half of those that are on their way may yet be taken
            served = (self._served + self.flying / 2) / max(span, 1.0)
        tried = self._now_rate()
        if tried < NEVER and tried > CLOSE * served:
            served = math.sqrt(served * tried) if served else tried / 2
        self._rate = max(SLOWEST, BELOW * min(served, tried))
        self._cut_at, self._served, self._used = now, 0, 0.0
        self._brisk = 0.85 * min(self._wide, self.flying)
        self._wide = max(1.0, math.floor(min(self._wide, self.flying) / 2))

    def pause(self, seconds: float) -> None:
        """Let nobody pass for some seconds."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def hopeless(self) -> bool:
        """Return whether so many refusals came in a row that waiting longer makes no sense."""
        return self._refused >= (LONG_PATIENCE if self._succeeded else PATIENCE)

    def told(self, status: int, headers: Mapping[str, str]) -> None:
        """Note an answer's head: that the request was taken, and what it says of the provider's limits."""
        if status < 300:
            self._served += 1
        wait = reset_seconds(headers)
        if wait is not None:
            self.pause(wait)

    def stop(self) -> None:
        """Let nobody pass any more; who waits is told."""
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
        """Return the requests a second that are tried now.

        It grows with the time in which it was used: while all wait for long answers nothing is learnt.
        """
        if self._rate == NEVER:
            return NEVER
        used = self._used
        if used < GENTLE:
            return self._rate * (1 + used / 30)
        doublings: float = 2.0 ** min((used - GENTLE) / DOUBLING, 60.0)
        return self._rate * (1 + GENTLE / 30) * doublings

    def _let_pass(self) -> None:
        """Let those pass whose turn it is, and set the timer for the next one."""
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
