"""What a model thinks before it answers: dim on standard error while it runs, then one short line.

Thinking that still stands on the open row when it ends is folded into how long it took.  Longer
thinking stays: what stands above the open row is never touched.
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
"""What tells thinking from the answer on a terminal without colours."""
ERASE: Final = "\r\x1b[K"
LONGEST_ROW: Final = 500
"""Characters of thinking that could still be folded."""


class ThinkingSink(Sink):
    """Writes thinking text, for people, on a stream of its own.

    It goes before the sink of the answer in a Tee.  Within one batch all thinking is shown before
    all text, whatever their order.

    Args:
        writer: standard error.
        dim: whether it may be dimmed; each write switches it off again, so that no end of the
            program leaves the terminal dim.
        guard: whether control characters are made visible.
        terminal: whether it is a terminal that takes escape sequences: folded at the end, and
            marked when it may not be dimmed.
        answer: the answer's sink when it writes to the same terminal, else None.
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
        """Write the batch's thinking; end its row before the answer begins."""
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
        """End the row that is open."""
        if self._open:
            self._end(now)

    def _think(self, text: str, at: float) -> None:
        """Write thinking, but for newlines at its end, which wait for more."""
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
        """Say whether all that was thought stands on the open row."""
        if self._row is None:
            return False
        from llmstream.render.markdown.widths import SEQUENCE, cells

        try:
            columns = os.get_terminal_size(self._writer.fd).columns
        except OSError:
            return False
        return "\t" not in self._row and not SEQUENCE.search(self._row) and cells(self._row) < columns
