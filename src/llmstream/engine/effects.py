"""What a conversation asks its driver to do, and what it is sent for it.

An effect is a value; nothing happens until a driver hands it to a transport.  Deadlines are
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
    """Everything that one request is made of.

    Args:
        adapter: the endpoint's dialect.
        endpoint: where and which model.
        prompt: what is said.
        options: how it is to be answered.
        policy: its limits.
        stream: False asks for the whole answer at once.
        route: how the transport gets there; the engine only passes it on.
    """

    adapter: Adapter
    endpoint: Endpoint
    prompt: Prompt
    options: Options
    policy: Policy
    stream: bool = True
    route: Hashable = None


class Prepare(Record):
    """Make a call ready; sends the Call.

    Args:
        make: does it.
        slow: it takes time (a key's command, a model to load) that an event loop can't spare.
    """

    make: Callable[[], Call]
    slow: bool = False


class Open(Record):
    """Send a request and wait for the head of its answer; sends a Head.

    Args:
        request: what to send.
        connect: seconds for name, TCP and TLS, 0 for no limit.
        deadline: for the head to have come.
        route: the call's.
    """

    request: HttpRequest
    connect: float
    deadline: float
    route: Hashable = None


class Read(Record):
    """Wait for more of the body; sends its bytes, ``b""`` at its end."""

    deadline: float


class Sleep(Record):
    """Wait; sends None."""

    seconds: float


class Close(Record):
    """Give up the answer that was opened, if there is one; sends None."""


class Keep(Record):
    """The answer has come whole: keep what carried it for the next run, if it can be; sends None."""


class Head(Record):
    """Status and headers of an answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]


Effect: TypeAlias = Prepare | Open | Read | Sleep | Close | Keep
Batch: TypeAlias = list[Event]
"""The events that one read brought, never empty."""
Reply: TypeAlias = Call | Head | bytes | None
Steps: TypeAlias = Generator[Effect | Batch, Reply, None]
