"""The limits of one call, and how long to wait between its attempts."""

from __future__ import annotations

from typing import Final

from llmstream.record import Record

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 8.0
LONGEST_OBEYED: Final = 60.0
"""Longest wait, in seconds, that a server may ask for; beyond it the call fails."""


class Policy(Record):
    """Time limits of one call, in seconds, 0 for none; and its retries.

    Args:
        connect: for DNS, TCP and TLS.
        first_token: from sending the request to the first text, thinking or tool call.
        idle: from one event to the next, after the first token.
        total: for the whole run, retries and waits included.
        max_retries: most attempts after the first.
    """

    connect: float = 10.0
    first_token: float = 600.0
    idle: float = 120.0
    total: float = 0.0
    max_retries: int = 2


def pause(attempt: int, retry_after: float | None, jitter: float) -> float | None:
    """Return the seconds to wait after a failed attempt, None if the server asks for too long a wait.

    Args:
        attempt: the number of the attempt that failed, from 1.
        retry_after: the wait that the server asked for, None if it didn't.
        jitter: a random number in [0, 1), so that many clients don't retry at the same time.
    """
    if retry_after is not None and retry_after > 0:
        return None if retry_after > LONGEST_OBEYED else retry_after
    return min(FIRST_PAUSE * 2.0 ** (attempt - 1), LONGEST_PAUSE) * (0.75 + jitter / 2)
