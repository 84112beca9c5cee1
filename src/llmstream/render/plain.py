"""The answer as text, and beside it the thinking: what a run shows unless told otherwise.

The way of each token to a pipe or a terminal, hence one join, one encoding and one write for
all that came in one read.
"""

from __future__ import annotations

from llmstream.errors import LLMStreamError
from llmstream.events import Event, TextDelta
from llmstream.render.base import Sink, Writer, encode
from llmstream.render.guard import Guard


class PlainSink(Sink):
    """Writes the answer's text and nothing else.

    Args:
        writer: where to.
        separator: written after every chunk, also an empty one, as ``print(chunk, end=...)``
            does.  It is the user's own and never guarded.
        newline: whether text that does not end with a newline is given one at the end.
        guard: whether control characters are made visible, for terminals.
    """

    def __init__(self, writer: Writer, *, separator: str = "", newline: bool = True, guard: bool) -> None:
        self._writer = writer
        self._separator = separator
        self._newline = newline
        self._guard = Guard() if guard else None
        self._exact = not (guard or separator)
        self._last = "\n"

    @property
    def ended_with_newline(self) -> bool:
        """Whether what comes next starts on a fresh line; so it is before anything was written."""
        return self._last == "\n"

    def write(self, batch: list[Event], at: float) -> None:
        """Write the batch's text, if it has any."""
        if self._exact and len(batch) == 1 and type(event := batch[0]) is TextDelta:
            # nearly every write to a pipe, hence without a call of _put
            text = event.text
            if text:
                self._last = text[-1]
                self._writer.write(text.encode() if text.isascii() else encode(text))
            return
        separator, guard = self._separator, self._guard
        texts = [event.text for event in batch if type(event) is TextDelta]
        if not texts:
            return
        if not separator:
            text = "".join(texts) if len(texts) > 1 else texts[0]
            self._put(guard.feed(text) if guard else text)
            return
        if guard:
            texts = [guard.feed(text) for text in texts]
        self._put(separator.join(texts) + separator)

    def end_row(self) -> None:
        """End the open row of a terminal, since something else is written before the next."""
        if self._last != "\n":
            self._put("\n")

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """End the text with a newline, whether it is whole or not, unless told not to."""
        if self._guard:
            self._put(self._guard.close())
        if self._newline and self._last != "\n":
            self._put("\n")

    def _put(self, text: str) -> None:
        if text:
            self._last = text[-1]
            self._writer.write(text.encode() if text.isascii() else encode(text))
