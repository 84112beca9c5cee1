"""What `LLM` is given beside the model's options: an address, a key, limits; checked before any request.

The configuration checks its own, with line and column; these are the caller's.
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
    """Refuse what can't be a model's name.

    Raises:
        UsageError: it is neither text nor None.
    """
    if model is not None:
        _text("model", model)


def address(base_url: str) -> str:
    """Return the address of an API without a slash at its end.

    Raises:
        UsageError: it is no http or https URL with a host.
    """
    _text("base_url", base_url)
    try:
        parts = urlsplit(base_url)
        flaw = "" if parts.hostname else "it has no host"
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        flaw = str(error)
    else:
        if parts.scheme not in ("http", "https"):
            flaw = "it begins neither with http:// nor with https://"
    if flaw or not base_url.isprintable() or " " in base_url:
        raise UsageError(f"base_url {quoted(base_url)} is not a usable URL: {flaw or 'it contains a space'}")
    return base_url.rstrip("/")


def key(api_key: str) -> Secret:
    """Return a key that can go into a header.

    Raises:
        UsageError: it holds a line break or another character that no key has; it is not shown.
    """
    _text("api_key", api_key)
    if not (api_key.isascii() and api_key.isprintable()):
        raise UsageError("api_key contains a line break or a non-ASCII character")
    return Secret(api_key)


def limited(policy: Policy, timeout: Mapping[str, float] | float | None, max_retries: int | None) -> Policy:
    """Return a policy with other limits.

    Args:
        policy: the configured one.
        timeout: seconds for the whole run, or seconds by name; None for no change.
        max_retries: attempts after the first, None for no change.

    Raises:
        UsageError: there is no limit of that name, or a value is not a number, 0 or more.
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
