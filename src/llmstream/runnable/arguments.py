"""Check the arguments of `LLM` other than options: address, key and limits.

The configuration file has its own checks, which report line and column.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from llmstream.engine.policy import Policy
from llmstream.errors import UsageError
from llmstream.nearest import did_you_mean, quoted
from llmstream.prompt import Secret
from llmstream.record import replace

LIMITS: Final = ("connect", "first_token", "idle", "total")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise UsageError(f"{name} must be text, not {type(value).__name__}")


def checked_model(model: object) -> None:
    """Check that a value can be a model's name.

    Raises:
        UsageError: it is neither text nor None.
    """
    if model is not None:
        _text("model", model)


def address(base_url: str) -> str:
    """Return an API's URL without a trailing slash.

    Raises:
        UsageError: it is not an http or https URL with a host.
    """
    _text("base_url", base_url)
    try:
        parts = urlsplit(base_url)
        flaw = "" if parts.hostname else "it has no host"
        _ = parts.port  # raises ValueError for an invalid port
    except ValueError as error:
        flaw = str(error)
    else:
        if parts.scheme not in ("http", "https"):
            flaw = "it begins neither with http:// nor with https://"
    if flaw or not base_url.isprintable() or " " in base_url:
        raise UsageError(f"base_url {quoted(base_url)} is not a usable URL: {flaw or 'it contains a space'}")
    return base_url.rstrip("/")


def key(api_key: str) -> Secret:
    """Return a key that can be sent in a header.

    Raises:
        UsageError: it contains a line break or another character that keys never have; the key is not shown.
    """
    _text("api_key", api_key)
    if not (api_key.isascii() and api_key.isprintable()):
        raise UsageError("api_key contains a line break or a non-ASCII character")
    return Secret(api_key)


def limited(policy: Policy, timeout: Mapping[str, float] | float | None, max_retries: int | None) -> Policy:
    """Return a policy with changed limits.

    Args:
        policy: the configured limits.
        timeout: seconds for the whole run, or a dictionary of seconds by limit; None for no change.
        max_retries: maximum number of attempts after the first, None for no change.

    Raises:
        UsageError: a limit's name is unknown, or a value is not a number of 0 or more.
    """
    limits = _limits(timeout)
    changes = {**limits, **({} if max_retries is None else {"max_retries": max_retries})}
    for name, value in changes.items():
        whole = name == "max_retries"
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            kind = "a whole number" if whole else "a number of seconds"
            raise UsageError(f"{name} must be {kind}, not {value!r}")
        if not 0 <= value < 1e9:
            raise UsageError(f"{name} is {value!r}; it must be a number, 0 or more")
    return replace(policy, **changes)


def _limits(timeout: object) -> Mapping[str, float]:
    if timeout is None:
        return {}
    if isinstance(timeout, int | float) and not isinstance(timeout, bool):
        return {"total": timeout}
    if not isinstance(timeout, Mapping):
        raise UsageError(f"timeout must be seconds, or a dictionary of limits, not {timeout!r}")
    for name in timeout:
        if name not in LIMITS:
            raise UsageError(
                f"unknown time limit {quoted(str(name))}{did_you_mean(str(name), LIMITS)}",
                hint=f"limits: {', '.join(LIMITS)}; a number alone is the total",
            )
    return timeout
