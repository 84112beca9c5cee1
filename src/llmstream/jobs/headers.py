"""Read a provider's rate limits from response headers: how much is left, and until when.

Sources: OpenAI, "Rate limits in headers" (``x-ratelimit-remaining-requests``,
``x-ratelimit-reset-requests: 1s``, ``6m0s``, ``20ms``), which most compatible providers copy;
Anthropic, "Rate limits: response headers" (``anthropic-ratelimit-requests-remaining``, ``-reset``
as RFC 3339).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final

LONGEST: Final = 60.0
"""Longest wait, in seconds, that headers can cause; longer ones, as of daily limits, are ignored."""
SPAN: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
PAIRS: Final = tuple(
    (f"{prefix}remaining-{what}", f"{prefix}reset-{what}")
    for prefix in ("x-ratelimit-",)
    for what in ("requests", "tokens")
) + tuple(
    (f"anthropic-ratelimit-{what}-remaining", f"anthropic-ratelimit-{what}-reset")
    for what in ("requests", "tokens", "input-tokens", "output-tokens")
)


def reset_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until the provider's exhausted limits allow requests again.

    None if no limit is exhausted, or if the wait is unknown or longer than `LONGEST`.

    Args:
        headers: header names in lower case.
    """
    if "0" not in headers.values():
        return None
    waits = [
        wait
        for left, reset in PAIRS
        if headers.get(left) == "0" and (wait := seconds(headers.get(reset, ""))) is not None
    ]
    longest = max(waits, default=0.0)
    return longest if 0 < longest <= LONGEST else None


def seconds(text: str) -> float | None:
    """Return the seconds from now in ``6m0s``, ``20ms``, ``1.5`` or an RFC 3339 time, else None."""
    text = text.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
        return float(text)
    found = SPAN.fullmatch(text)
    if found and text:
        days, hours, minutes, whole, milli = (float(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + whole + milli / 1000
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment.timestamp() - time.time() if moment.tzinfo else None
