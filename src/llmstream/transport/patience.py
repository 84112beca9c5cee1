"""Deadlines that don't count time in which the process was suspended; for all transports, sync and async.

A deadline is an absolute reading of the monotonic clock.  A wait for it is divided into slices: one that
ends more than `STANDSTILL` late means that the process was suspended, and the delay is added to the
deadline.
"""

from __future__ import annotations

from typing import Final

from llmstream.engine.effects import NEVER
from llmstream.errors import TimeLimitPassed

TICK: Final = 0.5
"""Default maximum of a slice, in seconds."""
STANDSTILL: Final = 0.25
"""How late a slice may end, in seconds, before that counts as a suspension."""


class Patience:
    """The deadlines of one reader, one after the other.

    Args:
        deadline: the first one, `NEVER` for none.
    """

    __slots__ = ("_given", "_stood", "_until", "deadline")

    def __init__(self, deadline: float = NEVER) -> None:
        self.deadline = self._given = deadline
        self._stood = 0.0
        self._until = NEVER

    def arm(self, deadline: float) -> None:
        """Set the deadline of the waits that follow.

        Setting the same deadline again keeps the suspended time added to it: keep-alive comments divide
        one wait into several.
        """
        if deadline != self._given:
            self._given, self._stood = deadline, 0.0
        self.deadline = deadline + self._stood
        self._until = NEVER

    def slice(self, now: float, longest: float = TICK) -> float:
        """Return how many seconds to wait before checking again, at most `longest`.

        Raises:
            TimeLimitPassed: the deadline has passed.
        """
        self.woke(now)
        if now >= self.deadline:
            raise TimeLimitPassed("no data in time")
        self._until = min(self.deadline, now + longest)
        return self._until - now

    def woke(self, now: float) -> None:
        """Note when a wait ended, for whatever reason; if it was late, extend the deadline."""
        late = now - self._until
        if late > STANDSTILL:
            self.deadline += late
            self._stood += late
        self._until = NEVER
