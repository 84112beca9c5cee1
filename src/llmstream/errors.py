"""The tree of errors that llmstream raises; some modules derive their own from these.

    LLMStreamError
     +- UsageError                 the call itself is wrong: an empty prompt, an option out of range
     +- ConfigError                the configuration: file, unknown provider or model
     |   +- MissingKey             no API key
     |   +- MissingExtra           an optional dependency is not installed
     |   +- HistoryError           the history can't be read or written
     +- ProviderError              the provider refused the request
     |   +- AuthenticationError    401, 403
     |   +- RequestRefused         400, 404 and other 4xx, a redirect
     |   |   +- ContextTooLong     the prompt does not fit
     |   |   +- PromptBlocked      a filter refused the prompt
     |   +- Unavailable            408, 409, 425, 429, 5xx, overloaded
     +- ConnectionFailed           no response: DNS, TCP, TLS, proxy, reset before the response
     +- TimeLimitPassed            its phase says which limit: connect, first_token, stream (idle), total
     +- StreamError                the answer started but did not finish properly
     |   +- StreamBroken           the connection broke
     |   +- StreamEndedEarly       it ended cleanly, but before the end of the protocol
     |   +- BadMessage             it was invalid
     +- LocalModelError            the model in this process, or a child process, failed
     +- Cancelled                  the caller stopped it

`message` is one sentence that names provider and host where they matter; `hint` is the remedy;
`retryable` is decided where the error is created.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

Phase: TypeAlias = Literal["config", "connect", "first_token", "stream", "total", "output"]


class LLMStreamError(Exception):
    """Base of all errors.

    Args:
        message: one sentence: what went wrong, and with which provider.
        hint: what to do about it; empty if there is nothing to do.
        provider: the provider's name, None if none was contacted.
        status: the HTTP status, None if there was none.
        phase: the phase in which it happened: a `Phase`, None if unknown.
        retryable: whether the same request may succeed later.
        retry_after: seconds that the server asked to wait, None if it didn't ask.
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
        # text from the server, appended to the message; shortened only after keys in it are hidden
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
    """The provider needs an API key, and none was found."""


class MissingExtra(ConfigError):
    """An optional dependency is not installed."""


class HistoryError(ConfigError):
    """The history can't be read or written: damaged, locked, from a later version, or the disk is full."""


class ProviderError(LLMStreamError):
    """The provider answered with a refusal."""


class AuthenticationError(ProviderError):
    """The key is missing, wrong, or not allowed to do this."""


class RequestRefused(ProviderError):
    """The request can't be served as it is."""


class ContextTooLong(RequestRefused):
    """Prompt and answer don't fit into the model's context."""


class PromptBlocked(RequestRefused):
    """A content filter of the provider blocked the prompt."""


class Unavailable(ProviderError):
    """The provider can't serve the request now."""

    default_retryable = True


class ConnectionFailed(LLMStreamError):
    """No response arrived: a failure of DNS, TCP, TLS or the proxy, or a reset before the response."""

    default_retryable = True


class TimeLimitPassed(LLMStreamError):
    """A time limit passed; `phase` says which, ``stream`` for the idle limit."""

    default_retryable = True


class StreamError(LLMStreamError):
    """The answer started but did not finish properly."""


class StreamBroken(StreamError):
    """The connection broke in mid-answer."""

    default_retryable = True


class StreamEndedEarly(StreamError):
    """The answer ended cleanly, but without a finish reason or the protocol's end."""

    default_retryable = True


class BadMessage(StreamError):
    """The server sent something that its API does not define."""


class LocalModelError(LLMStreamError):
    """The model in this process, or a child process, failed."""


class Cancelled(LLMStreamError):
    """The caller stopped the answer."""
