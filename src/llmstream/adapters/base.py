"""What an adapter is: one API's dialect, without any I/O.

An adapter turns a prompt into an HttpRequest, and wire messages into events.  It has no access to sockets,
the clock or the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol, TypeAlias

from llmstream.errors import ProviderError
from llmstream.events import Event
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.record import Record
from llmstream.wire.message import WireMessage

Framing: TypeAlias = Literal["sse", "ndjson", "aws", "json-array", "text", "whole"]


class HttpRequest(Record):
    """One request, ready to be sent.

    Args:
        method: ``POST`` or ``GET``.
        url: absolute.
        headers: all headers that the dialect needs, including the key's.
        body: the bytes, empty for none.
        framing: how the response body is split into messages, unless its content type says otherwise.
        notices: messages for the user, such as options that this API doesn't accept.
        added: fields of the body added unasked; one rejected by name is left out in a second try.
        thoughts: the thinking of each message, which some servers want back in a second try.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    framing: Framing
    notices: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    thoughts: tuple[str, ...] = ()


class Reader(Protocol):
    """Turns one answer's wire messages into events; holds that answer's state.

    `done`: whether the dialect's end mark was read, so that nothing follows. `finished`: whether a
    finish reason was read, so that only usage may follow. An answer is complete if either is true at
    its end.
    """

    done: bool
    finished: bool

    def read(self, message: WireMessage) -> Iterable[Event]:
        """Return the events of one message.

        Raises:
            ProviderError: the message reports a failure.
            BadMessage: it is not of the dialect. KeyError, TypeError, ValueError, IndexError and
                AttributeError caused by a malformed message count as one.
        """
        ...


class Adapter(Protocol):
    """One API's dialect."""

    name: str

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request that asks `endpoint` for an answer."""
        ...

    def reader(self) -> Reader:
        """Return a reader for one answer, streamed or not."""
        ...

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for a refused request's response.

        Args:
            status: the HTTP status, 300 or more.
            headers: names in lower case.
            body: its first 64 KiB.
        """
        ...

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return the request without the part that `error` rejects, or None to keep the error.

        Called once, for servers that reject a field which others need.
        """
        ...

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the URL of the provider's model list, None if it has none."""
        ...

    def models(self, document: object) -> list[str]:
        """Return the model names in the answer of `models_url`, parsed as JSON."""
        ...
