"""Takes a fenced code block's content out of an answer, while the answer still comes.

Lines come out as soon as they can't be a closing fence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from llmstream.errors import LLMStreamError
from llmstream.events import Event, TextDelta
from llmstream.render.base import Sink
from llmstream.render.fences import Blocks

Which = Literal["first", "last"]


class Extractor:
    """Takes the first or the last block's content out of a text that comes in pieces.

    Args:
        which: the first block comes out while it runs, the last one when the text has ended.
    """

    def __init__(self, which: Which = "first") -> None:
        self._which = which
        self._blocks = Blocks()
        self._open = ""  # the line that is not whole, while it may be a fence
        self._sure = False  # whether it is surely content, and came out so far
        self._whole: list[str] | None = []  # the text, while no block has come
        self._last: list[str] = []
        self._done = False

    @property
    def found(self) -> bool:
        """Whether a block has come."""
        return self._whole is None

    def feed(self, text: str) -> str:
        """Take a piece of the text and return what comes out."""
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
        """Return what was held: the end of a block, the last block, or the text when none has come."""
        line, self._open = self._open, ""
        out = self._line(line, "") if line else ""
        if self._whole is not None:
            return "".join(self._whole)
        return out if self._which == "first" else "".join(self._last)

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


class Inner(Sink, Protocol):
    """What an ExtractSink writes to."""

    @property
    def ended_with_newline(self) -> bool:
        """Whether what comes next starts on a fresh line."""
        ...


class ExtractSink:
    """Hands the text of one block on to the answer's sinks, and everything else as it is.

    Args:
        inner: the answer's own sink.
        beside: others that are to get what is printed.
        which: the block.
    """

    def __init__(self, inner: Inner, beside: Sequence[Sink], which: Which) -> None:
        self._inner = inner
        self._sinks = (inner, *beside)
        self._extractor = Extractor(which)

    @property
    def found(self) -> bool:
        """Whether the answer had a block; without one its whole text was printed."""
        return self._extractor.found

    @property
    def ended_with_newline(self) -> bool:
        """Whether what comes next starts on a fresh line."""
        return self._inner.ended_with_newline

    def write(self, batch: list[Event], at: float) -> None:
        """Write what the batch has of the block."""
        changed = [TextDelta(self._extractor.feed(e.text)) if isinstance(e, TextDelta) else e for e in batch]
        self._give([e for e in changed if not isinstance(e, TextDelta) or e.text], at)

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Write what was held, and end the output."""
        held = self._extractor.close()
        self._give([TextDelta(held)] if held else [], now)
        for sink in self._sinks:
            sink.close(error, now)

    def _give(self, batch: list[Event], at: float) -> None:
        if batch:
            for sink in self._sinks:
                sink.write(batch, at)
