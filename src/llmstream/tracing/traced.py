"""Event dictionaries for a Runnable of which nothing is known but its chunks."""

from __future__ import annotations

import time

from llmstream.engine.meter import Meter
from llmstream.errors import LLMStreamError
from llmstream.events import Finish, TextDelta
from llmstream.tracing.run_config import RunConfig
from llmstream.tracing.tracer import EventDict, EventsVersion, Tracer


def named_tracer(config: RunConfig, name: str) -> dict[str, object]:
    """Return what a config says of a run's identity, as a Tracer takes it."""
    run_id = config.get("run_id")
    return {
        "run_id": None if run_id is None else str(run_id),
        "name": config.get("run_name") or name,
        "tags": config.get("tags") or (),
        "metadata": config.get("metadata"),
    }


class Traced:
    """One run's tracer and meter.

    Args:
        name: of the run, unless the config gives one.
        text: the input, as text.
        config: the run's.
        version: of the events.
    """

    def __init__(self, name: str, text: str, config: RunConfig, version: EventsVersion) -> None:
        self._tracer = Tracer(version, prompt_text=text, **named_tracer(config, name))  # type: ignore[arg-type]
        self._meter = Meter(time.monotonic())

    def start(self, at: float) -> EventDict:
        """Return the first event."""
        self._meter = Meter(at)
        return self._tracer.start(at)

    def chunk(self, chunk: object) -> list[EventDict]:
        """Return the event of one chunk."""
        now = time.monotonic()
        delta = TextDelta(str(chunk))
        self._meter.write([delta], now)
        return self._tracer.batch([delta], now)

    def end(self) -> EventDict:
        """Return the last event of a run that finished."""
        now = time.monotonic()
        self._meter.write([Finish("stop")], now)
        return self._tracer.end(self._meter.completion(now), now)

    def failed(self, error: Exception) -> EventDict:
        """Return the last event of a run that failed."""
        now = time.monotonic()
        ours = (
            error if isinstance(error, LLMStreamError) else LLMStreamError(f"{type(error).__name__}: {error}")
        )
        return self._tracer.error(ours, self._meter.completion(now), now)
