"""Exit statuses and the errors that lead to them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from llmstream import errors


class Exit(IntEnum):
    """The command's exit statuses."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    AUTHENTICATION = 4
    REFUSED = 5
    UNAVAILABLE = 6
    CONNECTION = 7
    TIME_LIMIT = 8
    STREAM = 9
    LOCAL = 10
    BATCH = 11
    INTERRUPTED = 130
    READER_GONE = 141


STATUSES: Final[tuple[tuple[type[errors.LLMStreamError], Exit], ...]] = (
    (errors.UsageError, Exit.USAGE),
    (errors.ConfigError, Exit.CONFIG),
    (errors.AuthenticationError, Exit.AUTHENTICATION),
    (errors.Unavailable, Exit.UNAVAILABLE),
    (errors.ProviderError, Exit.REFUSED),
    (errors.ConnectionFailed, Exit.CONNECTION),
    (errors.TimeLimitPassed, Exit.TIME_LIMIT),
    (errors.StreamError, Exit.STREAM),
    (errors.LocalModelError, Exit.LOCAL),
    (errors.Cancelled, Exit.INTERRUPTED),
)
"""Error types and their statuses; the first match counts; an error without a match has status 1."""


def status_of(error: errors.LLMStreamError) -> Exit:
    """Return the exit status of an error."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), Exit.FAILED)
