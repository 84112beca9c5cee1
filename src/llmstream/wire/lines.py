"""Split a body into lines, for the framings based on lines: SSE and NDJSON.

A line may take thousands of reads to arrive and may be 32 MiB long, so only new bytes are searched.
The complete lines of a read are decoded as one block, to keep the cost per token low.  Lines end only
with LF: `str.splitlines` would also split at U+2028, U+0085 and others, which are ordinary text in
both framings.
"""

from __future__ import annotations

from llmstream.errors import BadMessage, LLMStreamError

_BOM = "\ufeff"


class Lines:
    """Returns complete lines and holds the incomplete last line.

    Args:
        limit: longest line in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._started = False
        self._failure: LLMStreamError | None = None

    def take(self, data: bytes) -> str:
        """Take one read's bytes and return the lines they complete, each with its LF.

        Invalid UTF-8 is replaced by U+FFFD; a leading byte order mark is dropped.

        Raises:
            BadMessage: a line is longer than the limit, or `fail` was called before.
        """
        if self._failure is not None:
            raise self._failure
        end = data.rfind(b"\n") + 1
        held = self._held
        if not end:
            held += data
            if len(held) > self._limit:
                raise self.fail(too_large(self._limit))
            return ""
        block: bytes | bytearray = data[:end]
        if held:
            held += block
            block = held
        if len(block) > self._limit:
            block = self._good_part(block)
        text = block.decode("utf-8", "replace")
        if held or end < len(data):
            self._held = bytearray(data[end:])
            if len(self._held) > self._limit:
                self.fail(too_large(self._limit))
        if not self._started and text:
            self._started = True
            text = text.removeprefix(_BOM)
        if not text and self._failure is not None:
            raise self._failure
        return text

    @property
    def idle(self) -> bool:
        """Whether the last line was complete and no fault was found; False before the first line."""
        return self._started and not self._held and self._failure is None

    def _good_part(self, block: bytes | bytearray) -> bytes:
        """Return the lines of `block` before the first one that exceeds the limit."""
        good = 0
        for line in bytes(block).split(b"\n"):
            if len(line) > self._limit:
                self.fail(too_large(self._limit))
                return bytes(block[:good])
            good += len(line) + 1
        return bytes(block)

    def fail(self, error: LLMStreamError) -> LLMStreamError:
        """Make later calls of `take` and `rest` raise `error`, or that of an earlier call, and return it."""
        if self._failure is None:
            self._failure = error
        return self._failure

    def rest(self) -> str:
        """Return the incomplete last line at the end of the body.

        Raises:
            BadMessage: `take` found a fault after good lines, or `fail` was called.
        """
        if self._failure is not None:
            raise self._failure
        text = self._held.decode("utf-8", "replace")
        self._held = bytearray()
        return text if self._started else text.removeprefix(_BOM)


def too_large(limit: int) -> BadMessage:
    """Return the error for a message larger than `limit` bytes."""
    size = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit} bytes"
    return BadMessage(f"a message of the answer is larger than {size}", phase="stream")
