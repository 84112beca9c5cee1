"""Deadlines that count waiting only: one rule for sockets, processes and objects, in threads and on loops.

A deadline is an absolute reading of the monotonic clock, and moves only when the engine moves it.  It is
looked at in slices: a wait that ends later than its slice and STANDSTILL was no wait, the whole process
was suspended, and that time is added to the deadline.
"""

from __future__ import annotations

from typing import Final

from llmstream.engine.effects import NEVER
from llmstream.errors import TimeLimitPassed

TICK: Final = 0.5
"""Longest slice of a wait, in seconds."""
STANDSTILL: Final = 0.25
"""Seconds after its slice at which a wait is known to have been interrupted by a suspension."""


class Patience:
    """The deadlines of one reader, one after the other.

    Args:
        deadline: the first, NEVER for none.
    """

    __slots__ = ("_given", "_stood", "_until", "deadline")

    def __init__(self, deadline: float = NEVER) -> None:
        self.deadline = self._given = deadline
        self._stood = 0.0
        self._until = NEVER

    def arm(self, deadline: float) -> None:
        """Set the deadline of the waits that follow.

        Time in which the process was suspended is added to a deadline for as long as it is the same,
        over all the waits that keep-alive comments make of one.
        """
        if deadline != self._given:
            self._given, self._stood = deadline, 0.0
        self.deadline = deadline + self._stood
        self._until = NEVER

    def slice(self, now: float, longest: float = TICK) -> float:
        """Return the seconds to wait for now.

        Raises:
            TimeLimitPassed: the deadline has passed.
        """
        self.woke(now)
        if now >= self.deadline:
            raise TimeLimitPassed("no data in time")
        self._until = min(self.deadline, now + longest)
        return self._until - now

    def woke(self, now: float) -> None:
        """Take note of when a wait ended, whatever ended it."""
        late = now - self._until
        if late > STANDSTILL:
            self.deadline += late
            self._stood += late
        self._until = NEVER
