"""The effects that a conversation asks its driver to carry out, and their results.

An effect is a value; nothing happens until a driver passes it to a transport.  Deadlines are
absolute readings of the driver's monotonic clock, `NEVER` for none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Hashable, Mapping
from typing import Final, TypeAlias

from llmstream.adapters.base import Adapter, HttpRequest
from llmstream.engine.policy import Policy
from llmstream.events import Event
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.record import Record

NEVER: Final = math.inf


class Call(Record):
    """Everything that makes up one request.

    Args:
        adapter: the endpoint's dialect.
        endpoint: the API and the model.
        prompt: the prompt.
        options: the options.
        policy: time limits and retries.
        stream: False requests the whole answer at once.
        route: how the transport reaches the endpoint; the engine only passes it on.
    """

    adapter: Adapter
    endpoint: Endpoint
    prompt: Prompt
    options: Options
    policy: Policy
    stream: bool = True
    route: Hashable = None


class Prepare(Record):
    """Prepare a call; the driver sends back the Call.

    Args:
        make: builds the call.
        slow: whether it may block an event loop, as a key's command or loading a model does.
    """

    make: Callable[[], Call]
    slow: bool = False


class Open(Record):
    """Send a request and wait for the response's head; the driver sends back a Head.

    Args:
        request: the request.
        connect: seconds for DNS, TCP and TLS, 0 for no limit.
        deadline: by when the head must have arrived.
        route: the call's route.
    """

    request: HttpRequest
    connect: float
    deadline: float
    route: Hashable = None


class Read(Record):
    """Wait for more of the body; the driver sends back its bytes, ``b""`` at the end."""

    deadline: float


class Sleep(Record):
    """Wait; the driver sends back None."""

    seconds: float


class Close(Record):
    """Abandon the open response, if any; the driver sends back None."""


class Keep(Record):
    """Keep the connection for the next run if possible; a driver adds this when a conversation has ended."""


class Head(Record):
    """Status and headers of a response; header names in lower case."""

    status: int
    headers: Mapping[str, str]


Effect: TypeAlias = Prepare | Open | Read | Sleep | Close | Keep
Batch: TypeAlias = list[Event]
"""The events of one read, never empty."""
Reply: TypeAlias = Call | Head | bytes | None
Steps: TypeAlias = Generator[Effect | Batch, Reply, None]
