"""Convert one run's typed events into event dictionaries while it runs."""

from __future__ import annotations

import time
from typing import TypedDict

from llmstream.engine.effects import Batch
from llmstream.engine.meter import Meter
from llmstream.errors import LLMStreamError
from llmstream.events import Finish, FinishReason, TextDelta
from llmstream.prompt import Json
from llmstream.tracing.chain import Seat, described
from llmstream.tracing.run_config import RunConfig
from llmstream.tracing.tracer import EventDict, Tracer


class Identity(TypedDict):
    """A run's identity, as keyword arguments of a Tracer."""

    run_id: str | None
    name: str
    tags: tuple[str, ...]
    metadata: dict[str, Json]
    parents: tuple[str, ...]


def identity(config: RunConfig, name: str, seat: Seat | None = None) -> Identity:
    """Return a run's identity.

    Args:
        config: the caller's config.
        name: the run's name, unless the config gives one.
        seat: the run's place in a composition, None for an outermost run.
    """
    run_id, seat = config.get("run_id"), seat or Seat()
    return {
        "run_id": None if run_id is None else str(run_id),
        "name": config.get("run_name") or name,
        "tags": (*seat.tags, *seat.inherited, *(config.get("tags") or ())),
        "metadata": {**seat.metadata, **(config.get("metadata") or {})},
        "parents": tuple(seat.parents),
    }


class Traced:
    """Makes one run's event dictionaries while it runs.

    Args:
        tracer: the run's tracer; nothing else may use it.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._meter = Meter(time.monotonic())

    def start(self) -> EventDict:
        """Return the first event."""
        now = time.monotonic()
        self._meter = Meter(now)
        return self._tracer.start(now)

    def batch(self, batch: Batch) -> list[EventDict]:
        """Return the event dictionaries of one read."""
        now = time.monotonic()
        self._meter.write(batch, now)
        return self._tracer.batch(batch, now)

    def chunk(self, text: str) -> list[EventDict]:
        """Return the events of one chunk, for a run that yields chunks instead of events."""
        return self.batch([TextDelta(text)])

    def end(self, reason: FinishReason | None = None) -> EventDict:
        """Return the last event of a run that finished; `reason` is for runs without a Finish event."""
        now = time.monotonic()
        if reason is not None:
            self._meter.write([Finish(reason)], now)
        return self._tracer.end(self._meter.completion(now), now)

    def failed(self, error: Exception) -> EventDict:
        """Return the last event of a run that failed, with what was received before."""
        now = time.monotonic()
        ours = error if isinstance(error, LLMStreamError) else LLMStreamError(described(error))
        return self._tracer.error(ours, self._meter.completion(now), now)
