"""Extract the content of a fenced code block from an answer while it streams.

Text is passed on as soon as it can't be a closing fence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from llmstream.errors import LLMStreamError
from llmstream.events import Event, TextDelta
from llmstream.render.base import Answer, Sink, Tee
from llmstream.render.fences import Blocks

Which = Literal["first", "last"]


class Extractor:
    """Extracts the content of the first or the last code block from a text that arrives in pieces.

    Args:
        which: ``first``, returned while it streams, or ``last``, returned by `close`.
    """

    def __init__(self, which: Which = "first") -> None:
        self._which = which
        self._blocks = Blocks()
        self._open = ""  # the incomplete line, while it may be a fence
        self._sure = False  # whether the incomplete line is content, returned so far
        self._whole: list[str] | None = []  # all text, until a block is found
        self._last: list[str] = []
        self._done = False

    @property
    def found(self) -> bool:
        """Whether a code block has started so far."""
        return self._whole is None

    def feed(self, text: str) -> str:
        """Add a piece of the text; return the new content of the first block, "" for the last one."""
        if self._done or not text:
            return ""
        if self._whole is not None:
            self._whole.append(text)
        out = ""
        if self._sure:
            line, newline, text = text.partition("\n")
            out = self._out(line + newline)
            self._sure = not newline
            if not text:
                return out
        *lines, self._open = (self._open + text).split("\n")
        out += "".join([self._line(line, "\n") for line in lines])
        return out + self._partly()

    def close(self) -> str:
        """Return the rest: the end of the first block, the last block, or all text if there was none."""
        line, self._open = self._open, ""
        out = self._line(line, "") if line else ""
        if self._whole is not None:
            whole = "".join(self._whole)
            self._whole.clear()
            return whole
        if self._which == "last":
            out = "".join(self._last)
            self._last.clear()
        return out

    def _out(self, text: str) -> str:
        if self._which == "first":
            return text
        self._last.append(text)
        return ""

    def _line(self, line: str, end: str) -> str:
        if self._done:
            return ""
        before = self._blocks.fence
        content = self._blocks.line(line)
        if content is not None:
            return self._out(content + end)
        if before is not None and self._which == "first":
            self._done = True
        elif self._blocks.fence is not None:
            self._whole = None
            self._last.clear()
        return ""

    def _partly(self) -> str:
        if self._done or not self._open:
            return ""
        content = self._blocks.settled(self._open)
        if content is None:
            return ""
        self._sure, self._open = True, ""
        return self._out(content)


class BesideSink(Tee):
    """An answer's sink and others that receive the same events.

    Args:
        inner: the answer's own sink.
        beside: the other sinks.
    """

    def __init__(self, inner: Answer, beside: Sequence[Sink]) -> None:
        super().__init__([inner, *beside])
        self._inner = inner

    @property
    def ended_with_newline(self) -> bool:
        """Whether the cursor is at the start of a line."""
        return self._inner.ended_with_newline

    def end_row(self) -> None:
        """End the open row of a terminal, because something else is written next."""
        self._inner.end_row()


class ExtractSink(BesideSink):
    """Passes on only one code block's text, and all other events unchanged.

    Args:
        inner: the answer's own sink.
        beside: other sinks for the same text.
        which: the block to extract, ``first`` or ``last``.
        say: called with a message if a complete answer has no block, so that all of it is printed.
    """

    def __init__(
        self, inner: Answer, beside: Sequence[Sink], which: Which, say: Callable[[str], None]
    ) -> None:
        super().__init__(inner, beside)
        self._extractor = Extractor(which)
        self._say = say
        self._said = False

    def write(self, batch: list[Event], at: float) -> None:
        """Write the batch's part of the block and its other events."""
        changed = [TextDelta(self._extractor.feed(e.text)) if isinstance(e, TextDelta) else e for e in batch]
        made = [e for e in changed if not isinstance(e, TextDelta) or e.text]
        if made:
            super().write(made, at)

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Write what was held back, and end the output."""
        held = self._extractor.close()
        if held:
            super().write([TextDelta(held)], now)
        super().close(error, now)
        if error is None and held and not self._extractor.found and not self._said:
            self._said = True
            self._say("the answer has no code block; printed all of it")
