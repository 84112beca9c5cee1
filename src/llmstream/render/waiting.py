"""The sign that an answer is awaited: one row on standard error, gone when something comes.

It is drawn by a thread of its own, for whoever reads the network may be blocked there.
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
"""Seconds without a token after which the sign is drawn."""
ERASE: Final = b"\r\x1b[K"


class WaitingSink(Sink):
    """Draws the sign until the first event that somebody sees.

    It goes before all other sinks in a Tee.

    Args:
        writer: standard error, a terminal that takes escape sequences.
        dim: whether it may be dimmed.
    """

    def __init__(self, writer: Writer, *, dim: bool) -> None:
        self._writer = writer
        self._dim = dim
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._shown = False
        self._seconds = 0

    def open(self, plan: Plan | None, at: float) -> None:
        """Begin to wait, if there is something to wait for."""
        if plan is not None:
            threading.Thread(target=self._wait, daemon=True).start()

    def write(self, batch: list[Event], at: float) -> None:
        """Take the sign away when the batch holds something to show."""
        if self._over.is_set() or all(type(event) in (Start, Usage) for event in batch):
            return
        self.stop()

    def stop(self) -> None:
        """Take the sign away, for good."""
        self._over.set()
        self.clear()

    def clear(self) -> None:
        """Take the sign away, so that something else can be written; it may come again."""
        with self._lock:
            if self._shown:
                self._shown = False
                self._writer.write(ERASE)

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Take the sign away."""
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
                    # the next write of the run's own meets it, too
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
