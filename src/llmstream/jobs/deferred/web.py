"""Requests to a provider's batch interface, with the URL, key and route of its other requests."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from llmstream.adapters.base import Adapter, Framing, HttpRequest
from llmstream.engine.effects import Head, Open, Read
from llmstream.engine.policy import pause
from llmstream.errors import BadMessage, LLMStreamError
from llmstream.prompt import Json, Message, Options, Prompt
from llmstream.runnable.calls import adapter_of
from llmstream.runnable.targets import Target
from llmstream.transport.http.common import Connection
from llmstream.transport.http.sync import HttpTransport

ANSWER: Final = 60.0
TRANSFER: Final = 900.0
"""Seconds for a short response, and for an upload or a download."""
TRIES: Final = 4
LARGEST: Final = 256 << 20
"""Most bytes of one document."""


class Web:
    """HTTP access to a provider's batch interface.

    Args:
        target: a model of the provider, with its URL and key.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.adapter: Adapter = adapter_of(target)
        endpoint = target.endpoint
        self.base = endpoint.base_url
        asked = self.adapter.request(Prompt((Message("user", "-"),)), Options(), endpoint, stream=False)
        self._headers = {name: value for name, value in asked.headers.items() if name != "content-type"}
        self._route = Connection(
            target.proxy, target.ca_file, target.client_cert, target.aws_region, target.aws_profile
        )

    def get(self, path: str, *, seconds: float = ANSWER) -> dict[str, Json]:
        """Return the object at a path; retried a few times, because reading changes nothing.

        Raises:
            LLMStreamError: it could not be fetched.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._object(self.call("GET", path, seconds=seconds))
            except LLMStreamError as error:
                wait = pause(attempt, error.retry_after, 0.5)
                if not error.retryable or attempt == TRIES or wait is None:
                    raise
                time.sleep(wait)

    def post(self, path: str, body: bytes, content_type: str = "application/json") -> dict[str, Json]:
        """Send a body once and return the object in the response.

        It is not retried: the caller must find out whether a request without a response took effect.

        Raises:
            LLMStreamError: it was refused, or its outcome is unknown.
        """
        return self._object(self.call("POST", path, body, content_type, seconds=TRANSFER))

    def lines(self, path: str) -> Iterator[bytes]:
        """Yield the lines of a document as they arrive, without their LF.

        Raises:
            LLMStreamError: it could not be fetched, or broke off after the lines already yielded.
        """
        with self._opened("GET", path, b"", "", TRANSFER) as parts:
            rest: list[bytes] = []
            for data in parts:
                head, newline, tail = data.rpartition(b"\n")
                if not newline:
                    rest.append(data)
                    continue
                yield from b"".join([*rest, head]).split(b"\n")
                rest = [tail]
            if last := b"".join(rest):
                yield last

    def call(
        self, method: str, path: str, body: bytes = b"", content_type: str = "", *, seconds: float
    ) -> bytes:
        """Return the body of a response.

        Raises:
            LLMStreamError: no response arrived, or it is a refusal or too large.
        """
        found = bytearray()
        with self._opened(method, path, body, content_type, seconds) as parts:
            for data in parts:
                found += data
                if len(found) > LARGEST:
                    raise BadMessage(f"the response is larger than {LARGEST >> 20} MiB")
        return bytes(found)

    @contextmanager
    def _opened(
        self, method: str, path: str, body: bytes, content_type: str, seconds: float
    ) -> Generator[Iterator[bytes], None, None]:
        headers = {**self._headers, **({"content-type": content_type} if content_type else {})}
        framing: Framing = "whole"
        request = HttpRequest(method, self.base + path, headers, body, framing)
        transport = HttpTransport()
        deadline = time.monotonic() + seconds
        try:
            head = transport.perform(Open(request, self.target.policy.connect, deadline, self._route))
            assert isinstance(head, Head)
            parts = _parts(transport, deadline)
            if head.status >= 300:
                raise self.adapter.error(head.status, head.headers, b"".join(parts)[: 64 << 10])
            yield parts
        except LLMStreamError as error:
            raise self._placed(error) from error.__cause__
        finally:
            transport.close()

    def id_in(self, document: Mapping[str, object], name: str = "id") -> str:
        """Return the id under a name in a response.

        Raises:
            BadMessage: it has none.
        """
        found = text_at(document, name)
        if not found:
            raise self._placed(BadMessage(f'the response has no "{name}"'))
        return found

    def _placed(self, error: LLMStreamError) -> LLMStreamError:
        endpoint = self.target.endpoint
        if error.provider is None:
            error.provider = endpoint.provider
            host = urlsplit(self.base).netloc.rpartition("@")[2]
            error.message = endpoint.redact(f"{endpoint.provider} ({host}), batches: {error.message}")
            error.args = (error.message,)
            if error.status == 404 and not error.hint:
                error.hint = (
                    f"{endpoint.provider} may have no batch interface; "
                    "leave out --deferred to send the prompts directly"
                )
        return error

    def _object(self, data: bytes) -> dict[str, Json]:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self._placed(BadMessage("the response is not JSON")) from error
        if not isinstance(found, dict):
            raise self._placed(BadMessage("the response is not an object"))
        return found


def _parts(transport: HttpTransport, deadline: float) -> Iterator[bytes]:
    while data := transport.perform(Read(deadline)):
        assert isinstance(data, bytes)
        yield data


def text_at(document: Mapping[str, object], *names: str) -> str:
    """Return the text at a path of names, "" if there is none."""
    found: object = document
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def count_at(document: Mapping[str, object], *names: str) -> int:
    """Return the whole number at a path of names, 0 if there is none; Google sends numbers as text."""
    found: object = document
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return int(found) if isinstance(found, int | str) and str(found).isdigit() else 0
