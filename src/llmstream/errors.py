"""Every error that llmstream raises, in one tree.

    LLMStreamError
     +- UsageError                 the call itself is wrong: an empty prompt, an option out of range
     +- ConfigError                the configuration: file, unknown provider or model
     |   +- MissingKey             no API key
     |   +- MissingExtra           an optional dependency is not installed
     |   +- HistoryError           the history can't be read or written
     +- ProviderError              the provider answered, and the answer is no
     |   +- AuthenticationError    401, 403
     |   +- RequestRefused         400, 404, 413, 422, a redirect
     |   |   +- ContextTooLong     the prompt does not fit
     |   |   +- PromptBlocked      a filter refused the prompt
     |   +- Unavailable            429, overloaded, 5xx
     +- ConnectionFailed           no answer: name, TCP, TLS, proxy, reset before the answer
     +- TimeLimitPassed            phase says which: connect, first_token, idle, total
     +- StreamError                the answer began and went wrong
     |   +- StreamBroken           the connection broke
     |   +- StreamEndedEarly       it ended cleanly, but before the protocol's end
     |   +- BadMessage             it was not understood
     +- LocalModelError            the model in this process, or a child process, failed
     +- Cancelled                  the caller stopped it

`message` is one sentence that names provider and host as far as they matter; `hint` is the remedy;
`retryable` is decided once, where the error is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

Phase: TypeAlias = Literal["config", "connect", "first_token", "stream", "total", "output"]


class LLMStreamError(Exception):
    """Base of all errors.

    Args:
        message: one sentence: what went wrong, with whom.
        hint: what to do about it; empty when there is nothing to say.
        provider: the provider's name, None when none was reached.
        status: the HTTP status, None without one.
        phase: when it happened, None where that says nothing.
        retryable: whether the same request may succeed a little later.
        retry_after: seconds that the server asked to wait, None when it said nothing.
    """

    default_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        provider: str | None = None,
        status: int | None = None,
        phase: Phase | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.provider = provider
        self.status = status
        self.phase = phase
        self.retryable = self.default_retryable if retryable is None else retryable
        self.retry_after = retry_after
        # what the server sent, to be quoted behind the message: shortened only after a key in it is hidden
        self.quote = ""

    def __str__(self) -> str:
        return self.message

    def to_dict(self) -> Mapping[str, str | int | bool | None]:
        """Return the object that error events carry."""
        return {
            "type": type(self).__name__,
            "message": self.message,
            "status": self.status,
            "provider": self.provider,
            "phase": self.phase,
            "retryable": self.retryable,
            "hint": self.hint,
        }


class UsageError(LLMStreamError):
    """The call itself is wrong."""


class ConfigError(LLMStreamError):
    """The configuration can't be used."""


class MissingKey(ConfigError):
    """The provider wants an API key and there is none."""


class MissingExtra(ConfigError):
    """An optional dependency is not installed."""


class HistoryError(ConfigError):
    """The history can't be read or written: damaged, locked, of a later version, no space."""


class ProviderError(LLMStreamError):
    """The provider answered with a refusal."""


class AuthenticationError(ProviderError):
    """The key is missing, wrong, or not allowed to do this."""


class RequestRefused(ProviderError):
    """The request can't be served as it is."""


class ContextTooLong(RequestRefused):
    """Prompt and answer don't fit into the model's context."""


class PromptBlocked(RequestRefused):
    """A filter of the provider refused the prompt."""


class Unavailable(ProviderError):
    """The provider can't serve the request now."""

    default_retryable = True


class ConnectionFailed(LLMStreamError):
    """No answer came: name, TCP, TLS, proxy, or a reset before the answer."""

    default_retryable = True


class TimeLimitPassed(LLMStreamError):
    """One of the limits passed; `phase` says which."""

    default_retryable = True


class StreamError(LLMStreamError):
    """The answer began and went wrong."""


class StreamBroken(StreamError):
    """The connection broke inside the answer."""

    default_retryable = True


class StreamEndedEarly(StreamError):
    """The answer ended cleanly, but without a finish reason or the protocol's end."""

    default_retryable = True


class BadMessage(StreamError):
    """Something came that the dialect does not have."""


class LocalModelError(LLMStreamError):
    """The model in this process, or a child process, failed."""


class Cancelled(LLMStreamError):
    """The caller stopped the answer."""
