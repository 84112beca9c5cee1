"""Event dictionaries of compositions: LangChain's `on_chain_...` events.

Each step gets a `Seat`, the place of its run in the composition; the outermost run numbers all events.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import cast

from llmstream.errors import LLMStreamError
from llmstream.prompt import Json
from llmstream.record import Record, replace
from llmstream.tracing.run_config import RunConfig
from llmstream.tracing.tracer import EventDict, EventsVersion, uuid7


class Piece(Record):
    """A chunk of a run's output on its way to the next step, passed along with the events."""

    value: object


class Seat(Record):
    """The place of a step's run in a composition.

    Args:
        version: of the event format.
        parents: ids of the enclosing runs, the outermost first; unlike LangChain's, also in v1.
        tags: tags of this run only.
        inherited: tags of the enclosing runs, which its own steps also inherit.
        metadata: metadata of the enclosing runs.
    """

    version: EventsVersion = "v2"
    parents: Sequence[str] = ()
    tags: Sequence[str] = ()
    inherited: Sequence[str] = ()
    metadata: Mapping[str, Json] = MappingProxyType({})


class ChainRun:
    """Makes the event dictionaries of one run that is not a model's.

    Args:
        name: the run's name, unless the config gives one.
        config: the caller's config.
        version: of the event format; a seat's own version goes first.
        seat: its place in a composition, None for an outermost run.
    """

    def __init__(
        self, name: str, config: RunConfig, version: EventsVersion = "v2", seat: Seat | None = None
    ) -> None:
        self._seat = seat or Seat(version)
        self._name = str(config.get("run_name") or name)
        self._inherited = (*self._seat.inherited, *(config.get("tags") or ()))
        self._metadata = {**self._seat.metadata, **(config.get("metadata") or {})}
        self._began = time.monotonic()
        self._count = 0
        self.run_id = str(config.get("run_id") or uuid7())

    def seat(self, number: int) -> Seat:
        """Return the seat of a step of this run; `number` counts from 1."""
        return replace(self.within(), tags=(f"seq:step:{number}",))

    def within(self) -> Seat:
        """Return the seat of a run inside this one that is not a numbered step."""
        return Seat(
            self._seat.version, (*self._seat.parents, self.run_id), (), self._inherited, self._metadata
        )

    def start(self, data: Mapping[str, object]) -> EventDict:
        """Return the first event."""
        return self._event("start", data)

    def stream(self, chunk: object) -> EventDict:
        """Return the event of one chunk of the output."""
        return self._event("stream", {"chunk": chunk})

    def end(self, data: Mapping[str, object]) -> EventDict:
        """Return the last event of a run that finished."""
        return self._event("end", data)

    def failed(self, error: Exception) -> EventDict:
        """Return the last event of a run that failed; LangChain has no such event."""
        ours = error if isinstance(error, LLMStreamError) else LLMStreamError(described(error))
        return self._event("error", {"error": dict(ours.to_dict())})

    def stamped(self, event: EventDict) -> EventDict:
        """Return an event of this run or of a step, with its number and time in this run: `seq` and `t`."""
        stamped = {**event, "seq": self._count, "t": round(time.monotonic() - self._began, 6)}
        self._count += 1
        return stamped

    def _event(self, kind: str, data: Mapping[str, object]) -> EventDict:
        made: EventDict = {
            "event": f"on_chain_{kind}",
            "run_id": self.run_id,
            "name": self._name,
            # copies: a caller's change to one event must not affect the next
            "tags": [*self._seat.tags, *self._inherited],
            "metadata": dict(self._metadata),
            # the values themselves, not their JSON, as in LangChain's events
            "data": cast("Json", dict(data)),
            "parent_ids": list(self._seat.parents),
        }
        return self.stamped(made)


def described(error: Exception) -> str:
    """Return an exception's class and message."""
    return f"{type(error).__name__}: {error}"
