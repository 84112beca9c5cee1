"""The waiting indicator: one row on standard error, erased when the first output arrives.

A separate thread draws it, because the thread that reads the network may be blocked.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from llmstream.errors import LLMStreamError
from llmstream.events import Event, Start, Usage
from llmstream.render.base import OutputError, ReaderGone, Sink, Writer
from llmstream.render.colors import DIM, DIM_OFF

if TYPE_CHECKING:
    from llmstream.runnable.plan import Plan

PATIENCE: Final = 0.3
"""Seconds from the start of the run until the indicator is drawn."""
ERASE: Final = b"\r\x1b[K"


class WaitingSink(Sink):
    """Draws the indicator until the first visible event.

    In a Tee, it must come before all other sinks that write to the terminal.

    Args:
        writer: standard error, a terminal that supports escape sequences.
        dim: whether the indicator may be dim.
    """

    def __init__(self, writer: Writer, *, dim: bool) -> None:
        self._writer = writer
        self._dim = dim
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._shown = False
        self._seconds = 0

    def open(self, plan: Plan | None, at: float) -> None:
        """Start waiting, unless `plan` is None."""
        if plan is not None:
            threading.Thread(target=self._wait, daemon=True).start()

    def write(self, batch: list[Event], at: float) -> None:
        """Remove the indicator permanently if the batch has any events other than Start and Usage."""
        if self._over.is_set() or all(type(event) in (Start, Usage) for event in batch):
            return
        self.stop()

    def stop(self) -> None:
        """Remove the indicator permanently."""
        self._over.set()
        self.clear()

    def clear(self) -> None:
        """Erase the indicator, so that something else can be written; it may be drawn again."""
        with self._lock:
            if self._shown:
                self._shown = False
                self._writer.write(ERASE)

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Remove the indicator permanently."""
        self.stop()

    def _wait(self) -> None:
        pause = PATIENCE
        while not self._over.wait(pause):
            with self._lock:
                if self._over.is_set():
                    return
                try:
                    self._draw()
                except (OutputError, ReaderGone):
                    # the run's next write fails in the same way, and is reported
                    return
            pause = 1.0

    def _draw(self) -> None:
        text = f"waiting {self._seconds} s" if self._seconds else "waiting"
        self._seconds += 1
        try:
            room = os.get_terminal_size(self._writer.fd).columns or 80
        except OSError:
            room = 80
        text = text[: max(0, room - 1)]
        self._shown = True
        self._writer.write(f"\r{DIM}{text}{DIM_OFF}".encode() if self._dim else f"\r{text}".encode())
