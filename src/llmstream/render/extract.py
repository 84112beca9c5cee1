"""Takes a fenced code block's content out of an answer, while the answer still comes.

Lines come out as soon as they can't be a closing fence.
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
    """An answer's sink, and others that are given the same text.

    Args:
        inner: the answer's own sink.
        beside: the others.
    """

    def __init__(self, inner: Answer, beside: Sequence[Sink]) -> None:
        super().__init__([inner, *beside])
        self._inner = inner

    @property
    def ended_with_newline(self) -> bool:
        """Whether the cursor is at the beginning of a line."""
        return self._inner.ended_with_newline

    def end_row(self) -> None:
        """End the open row of a terminal, since something else is written before the next."""
        self._inner.end_row()


class ExtractSink(BesideSink):
    """Hands the text of one block on to the answer's sinks, and everything else as it is.

    Args:
        inner: the answer's own sink.
        beside: others that are to get what is printed.
        which: the block.
        say: told when there was none, so that the whole text was printed.
    """

    def __init__(
        self, inner: Answer, beside: Sequence[Sink], which: Which, say: Callable[[str], None]
    ) -> None:
        super().__init__(inner, beside)
        self._extractor = Extractor(which)
        self._say = say
        self._said = False

    def write(self, batch: list[Event], at: float) -> None:
        """Write what the batch has of the block."""
        changed = [TextDelta(self._extractor.feed(e.text)) if isinstance(e, TextDelta) else e for e in batch]
        made = [e for e in changed if not isinstance(e, TextDelta) or e.text]
        if made:
            super().write(made, at)

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Write what was held, and end the output."""
        held = self._extractor.close()
        if held:
            super().write([TextDelta(held)], now)
        super().close(error, now)
        if error is None and held and not self._extractor.found and not self._said:
            self._said = True
            self._say("the answer has no code block; printed all of it")
