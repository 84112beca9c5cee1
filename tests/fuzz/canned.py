"""A transport whose answer is there already, in the reads that a test wants."""

from __future__ import annotations

from collections.abc import Iterable

from llmstream.engine.effects import Head, Open, Read, Reply


class Canned:
    """Carries out effects with a body that is there already.

    Args:
        reads: the body's pieces.
        content_type: the answer's.
    """

    def __init__(self, reads: Iterable[bytes], content_type: str) -> None:
        self._reads = iter(reads)
        self._content_type = content_type

    def perform(self, effect: object) -> Reply:
        """Return an effect's result."""
        if isinstance(effect, Open):
            return Head(200, {"content-type": self._content_type})
        return next(self._reads, b"") if isinstance(effect, Read) else None

    def stop(self) -> None:
        """End the answer."""
        self._reads = iter(())

    close = stop
