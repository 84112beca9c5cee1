"""The limits of one call, and how long to wait between its attempts."""

from __future__ import annotations

from typing import Final

from llmstream.record import Record

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 8.0
LONGEST_OBEYED: Final = 60.0
"""A server that asks for a longer wait, in seconds, is not waited for: the error says so."""


class Policy(Record):
    """Limits of one call, all in seconds; 0 means none.

    Args:
        connect: for name, TCP and TLS.
        first_token: from sending the request to the first text or reasoning.
        idle: from one event to the next, after the first token.
        total: for the whole run, retries and waits included.
        max_retries: attempts after the first.
    """

    connect: float = 10.0
    first_token: float = 600.0
    idle: float = 120.0
    total: float = 0.0
    max_retries: int = 2


def pause(attempt: int, retry_after: float | None, jitter: float) -> float | None:
    """Return the seconds to wait after a failed attempt, None when waiting makes no sense.

    Args:
        attempt: the number of the attempt that failed, from 1.
        retry_after: what the server asked for, None when it asked for nothing.
        jitter: a random number in [0, 1), so that many clients don't come back at once.
    """
    if retry_after is not None and retry_after > 0:
        return None if retry_after > LONGEST_OBEYED else retry_after
    return min(FIRST_PAUSE * 2.0 ** (attempt - 1), LONGEST_PAUSE) * (0.75 + jitter / 2)
