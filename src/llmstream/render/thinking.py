"""A model's thinking: shown on standard error while it streams, then folded if it is short.

Thinking that fits on one row is replaced by how long it took.  Longer thinking is kept, because
rows above the cursor are never changed.
"""

from __future__ import annotations

import os
from typing import Final

from llmstream.errors import LLMStreamError
from llmstream.events import Event, ReasoningDelta, TextDelta
from llmstream.render.base import Answer, Sink, Writer, encode
from llmstream.render.colors import DIM, DIM_OFF
from llmstream.render.guard import Guard

BEGIN, END = "[thinking] ", " [end of thinking]"
"""Marks around thinking on a terminal where it may not be dim."""
ERASE: Final = "\r\x1b[K"
LONGEST_ROW: Final = 500
"""Maximum number of characters of thinking that is folded."""


class ThinkingSink(Sink):
    """Writes thinking text for people.

    It must come before the answer's sink in a Tee, so all thinking of a batch is shown before its text,
    whatever their order.

    Args:
        writer: standard error.
        dim: whether the text may be dim; each write resets this, so that the terminal is never left dim.
        guard: whether to make control characters visible.
        terminal: whether `writer` is a terminal that supports escape sequences; short thinking is then
            folded, and thinking that may not be dim is marked.
        answer: the answer's sink if it writes to the same terminal, else None.
    """

    def __init__(
        self, writer: Writer, *, dim: bool, guard: bool, terminal: bool, answer: Answer | None = None
    ) -> None:
        self._writer = writer
        self._dim = dim
        self._guard = Guard() if guard else None
        self._terminal = terminal
        self._answer = answer
        self._open = False
        self._began = 0.0
        self._newlines = ""
        self._row: str | None = ""

    def write(self, batch: list[Event], at: float) -> None:
        """Write the batch's thinking, and end its row before the answer's text."""
        if len(batch) == 1 and type(batch[0]) is TextDelta:
            if self._open and batch[0].text:
                self._end(at)
            return
        text = "".join([event.text for event in batch if type(event) is ReasoningDelta])
        if text:
            self._think(self._guard.feed(text) if self._guard else text, at)
        if self._open and any(type(event) is TextDelta and event.text for event in batch):
            self._end(at)

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """End the open row of thinking."""
        if self._open:
            self._end(now)

    def _think(self, text: str, at: float) -> None:
        """Write thinking, except newlines at its end, which are held back until more follows."""
        if not self._open:
            text = text.lstrip("\n")
            if not text:
                return
            self._begin(at)
        text = self._newlines + text
        shown = text.rstrip("\n")
        self._newlines = text[len(shown) :]
        self._put(shown)

    def _begin(self, at: float) -> None:
        if self._answer and not self._answer.ended_with_newline:
            self._answer.end_row()
        self._open = True
        self._began = at
        self._row = ""
        if self._terminal and not self._dim:
            self._put(BEGIN)

    def _put(self, text: str) -> None:
        if not text:
            return
        if self._row is not None:
            self._row += text
            if "\n" in text or len(self._row) > LONGEST_ROW:
                self._row = None
        self._writer.write(encode(f"{DIM}{text}{DIM_OFF}" if self._dim else text))

    def _end(self, at: float) -> None:
        if self._guard:
            self._put(self._guard.close())
        self._open = False
        self._newlines = ""
        if self._terminal and self._folds():
            text = f"thought for {max(0.0, at - self._began):.1f} s"
            text = f"{DIM}{text}{DIM_OFF}" if self._dim else text
            self._writer.write(encode(f"{ERASE}{text}\n"))
            return
        if self._terminal and not self._dim:
            self._put(END)
        self._writer.write(b"\n")

    def _folds(self) -> bool:
        """Return whether all of the thinking is on one row; False if its width isn't certain."""
        if self._row is None:
            return False
        from llmstream.render.markdown.widths import SEQUENCE, cells

        try:
            columns = os.get_terminal_size(self._writer.fd).columns
        except OSError:
            return False
        return "\t" not in self._row and not SEQUENCE.search(self._row) and cells(self._row) < columns
