"""Cuts a body into lines for the framings whose messages are lines: SSE and NDJSON.

A line may take thousands of reads to arrive and may be 32 MiB long, so only new bytes are
searched, and a read's complete lines are decoded as one block: that is what makes a token
cheap.  Lines end with LF here, and only with LF: `str.splitlines` would also cut at U+2028,
U+0085 and others, which are plain text in both framings.
"""

from __future__ import annotations

from llmstream.errors import BadMessage, LLMStreamError

_BOM = "\ufeff"


class Lines:
    """Holds the unfinished last line of the data so far.

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

        A byte that is not UTF-8 becomes U+FFFD; one leading byte order mark is dropped.

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
        """Whether nothing is held, nothing is wrong, and the body's beginning is behind us."""
        return self._started and not self._held and self._failure is None

    def _good_part(self, block: bytes | bytearray) -> bytes:
        """Return the lines of `block` that stand before the first one over the limit."""
        good = 0
        for line in bytes(block).split(b"\n"):
            if len(line) > self._limit:
                self.fail(too_large(self._limit))
                return bytes(block[:good])
            good += len(line) + 1
        return bytes(block)

    def fail(self, error: LLMStreamError) -> LLMStreamError:
        """Have every later `take` and `rest` raise `error`, and return it."""
        if self._failure is None:
            self._failure = error
        return self._failure

    def rest(self) -> str:
        """Return the unfinished last line at the end of the body.

        Raises:
            BadMessage: `take` left a fault to raise.
        """
        if self._failure is not None:
            raise self._failure
        text = self._held.decode("utf-8", "replace")
        self._held = bytearray()
        return text if self._started else text.removeprefix(_BOM)


def too_large(limit: int) -> BadMessage:
    """Return the error for a message of more than `limit` bytes."""
    size = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit} bytes"
    return BadMessage(f"a message of the answer is larger than {size}", phase="stream")
