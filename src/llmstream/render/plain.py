"""The answer as plain text.

Every token that is not shown as Markdown goes through here, so the text of one read is joined, encoded
and written at once.
"""

from __future__ import annotations

from llmstream.errors import LLMStreamError
from llmstream.events import Event, TextDelta
from llmstream.render.base import Sink, Writer, encode
from llmstream.render.guard import Guard


class PlainSink(Sink):
    """Writes the answer's text and nothing else.

    Args:
        writer: where to write.
        separator: written after every chunk, even an empty one, as ``print(chunk, end=...)``
            does.  It comes from the user and is written unchanged.
        newline: whether to end the text with a newline if it lacks one.
        guard: whether to make control characters visible, for terminals.
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
        """Whether the next output starts on a new line; True before anything was written."""
        return self._last == "\n"

    def write(self, batch: list[Event], at: float) -> None:
        """Write the batch's text, if it has any."""
        if self._exact and len(batch) == 1 and type(event := batch[0]) is TextDelta:
            # nearly every write to a pipe, so _put is inlined here
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
        """End the open row of a terminal, because something else is written next."""
        if self._last != "\n":
            self._put("\n")

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """End the text, complete or not, with a newline unless `newline` is False."""
        if self._guard:
            self._put(self._guard.close())
        if self._newline and self._last != "\n":
            self._put("\n")

    def _put(self, text: str) -> None:
        if text:
            self._last = text[-1]
            self._writer.write(text.encode() if text.isascii() else encode(text))
