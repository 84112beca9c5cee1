"""The protocol of a provider's batch interface, and what all of them share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, Protocol, TypeAlias

from llmstream.adapters.base import Adapter
from llmstream.engine.meter import Completion, Meter
from llmstream.errors import BadMessage, LLMStreamError, ProviderError, Unavailable
from llmstream.events import Start, Usage
from llmstream.jobs.deferred.web import Web
from llmstream.jobs.inputs import Ask
from llmstream.jobs.keys import ident, key_text
from llmstream.prompt import Json
from llmstream.record import Record
from llmstream.wire.message import WireMessage

State: TypeAlias = Literal["running", "ended", "failed"]
Save: TypeAlias = Callable[[Mapping[str, Json]], None]
"""Saves the known state of a batch to disk before the next step."""
Outcome: TypeAlias = tuple[str, Completion, LLMStreamError | None]
"""The outcome of one request: its custom id, the answer, and the error, if any."""


class Status(Record):
    """The status of a batch.

    Args:
        state: running, ended (there may be results) or failed (there are none).
        said: the provider's own word for the state.
        done: number of requests with an outcome.
        total: number of all requests.
        document: the provider's whole response.
        flaw: the reason for a failure, empty otherwise.
    """

    state: State
    said: str
    done: int
    total: int
    document: Mapping[str, Json]
    flaw: str = ""


class Interface(Protocol):
    """One provider's batch interface.

    A batch has at most `most` requests and `largest` bytes.
    """

    most: int
    largest: int

    def line(self, custom_id: str, body: dict[str, Json]) -> bytes:
        """Return one request in the form used in a batch."""
        ...

    def submit(self, web: Web, entry: dict[str, Json], lines: list[bytes], save: Save) -> str:
        """Create a batch and return its id; `save` is called before each step that costs money.

        Raises:
            LLMStreamError: it was refused, or it is unknown whether it was created.
        """
        ...

    def find(self, web: Web, entry: Mapping[str, Json]) -> str | None:
        """Return the id of a batch whose creation was not confirmed, None if there is none."""
        ...

    def status(self, web: Web, id_: str) -> Status:
        """Return a batch's status."""
        ...

    def results(self, web: Web, status: Status) -> Iterator[Outcome]:
        """Yield the outcomes of a batch that has ended, in any order."""
        ...


def custom_id(ask: Ask) -> str:
    """Return the id of a request for the provider: 64 hex digits, from id and key.

    Users' ids may be long or contain characters that a provider does not accept.
    """
    return f"{ident(ask.id):032x}{key_text(ask.key)}"


def body_of(web: Web, ask: Ask) -> dict[str, Json]:
    """Return the body of a question's request, without streaming.

    Raises:
        LLMStreamError: it can't be expressed in this dialect.
    """
    target = web.target
    request = web.adapter.request(ask.prompt, ask.options.over(target.options), target.endpoint, stream=False)
    body: dict[str, Json] = json.loads(request.body)
    body.pop("stream", None)
    return body


def completion_of(web: Web, document: Json) -> tuple[Completion, LLMStreamError | None]:
    """Return the answer in a document of the provider's API, and the error, if any."""
    endpoint = web.target.endpoint
    meter = Meter(0.0)
    meter.write([Start(endpoint.provider, endpoint.model)], 0.0)
    error: LLMStreamError | None = None
    try:
        reader = web.adapter.reader()
        events = list(reader.read(WireMessage("whole", json.dumps(document))))
        if all(isinstance(event, Usage) for event in events):
            raise BadMessage("the answer is empty: no text, no tool call and no finish reason")
        meter.write(events, 0.0)
        if meter.finish is not None and meter.finish.reason == "error":
            raise Unavailable(f"the generation failed: {meter.finish.raw or 'error'}")
    except LLMStreamError as failure:
        error = named(web, failure)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError) as failure:
        error = named(web, BadMessage(f"the answer is not in this API's format: {failure!r}"))
    return meter.completion(0.0), error


def refusal(web: Web, status: int, document: Json) -> ProviderError:
    """Return the error in the document of a refused request."""
    adapter: Adapter = web.adapter
    error = adapter.error(status, {}, json.dumps(document).encode())
    named(web, error)
    return error


def named(web: Web, error: LLMStreamError) -> LLMStreamError:
    """Return an error of one request with its provider's name and without the key."""
    endpoint = web.target.endpoint
    error.provider = endpoint.provider
    error.message = endpoint.redact(f"{endpoint.provider}: {error.message}")
    error.args = (error.message,)
    return error


def nothing(web: Web) -> Completion:
    """Return an empty answer of the target."""
    endpoint = web.target.endpoint
    return Completion("", provider=endpoint.provider, model=endpoint.model)
