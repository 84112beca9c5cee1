"""Convert a run's batches into typed events, or event dictionaries with chunks."""

from __future__ import annotations

from llmstream.engine.effects import Batch
from llmstream.errors import LLMStreamError
from llmstream.events import Event, TextDelta
from llmstream.runnable.flows import Pieces
from llmstream.tracing.chain import Piece
from llmstream.tracing.traced import Traced
from llmstream.tracing.tracer import EventDict, Tracer


class Events(Pieces[Event]):
    """The typed events."""

    def batch(self, batch: Batch) -> Batch:
        """Return them one by one."""
        return batch


class Dictionaries(Pieces[EventDict | Piece]):
    """A run's event dictionaries; those of each read are followed by its chunks for the next step.

    Args:
        tracer: the run's tracer.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._trace = Traced(tracer)

    def begin(self) -> list[EventDict | Piece]:
        """Return the start event."""
        return [self._trace.start()]

    def batch(self, batch: Batch) -> list[EventDict | Piece]:
        """Return the events of one read, then its chunks."""
        chunks = [Piece(event.text) for event in batch if type(event) is TextDelta]
        return [*self._trace.batch(batch), *chunks]

    def end(self, *, closed: bool) -> list[EventDict | Piece]:
        """Return the end event."""
        return [] if closed else [self._trace.end()]

    def failed(self, error: LLMStreamError) -> list[EventDict | Piece]:
        """Return the error event; the error itself is raised after it."""
        return [self._trace.failed(error)]
