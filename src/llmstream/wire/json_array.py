"""A JSON array whose elements are messages: Gemini's stream without ``alt=sse``.

Each element is returned as soon as its closing bracket arrives, before the array is closed.

Source: Google, "AIP-127 HTTP and gRPC transcoding", on streaming responses: a server-streaming
method answers with a JSON array; observed in Gemini's streamGenerateContent.
"""

from __future__ import annotations

import codecs
from typing import Final, Literal, TypeAlias

from llmstream.errors import BadMessage, LLMStreamError, StreamEndedEarly
from llmstream.wire.lines import too_large
from llmstream.wire.message import MESSAGE_LIMIT, WireMessage
from llmstream.wire.nesting import Nesting

_Place: TypeAlias = Literal["start", "first", "element", "behind", "comma", "end"]

# Characters allowed at a place between values, and the place that follows each.  After an element
# (`behind`), a comma or the end of the array must follow; after a `comma`, an element.
_NEXT: Final[dict[_Place, dict[str, _Place]]] = {
    "start": {"[": "first", "{": "element"},
    "first": {"{": "element", "[": "element", "]": "end"},
    "behind": {",": "comma", "]": "end"},
    "comma": {"{": "element", "[": "element"},
    "end": {},
}
_BLANK: Final = " \t\r\n"


class JSONArrayDecoder:
    """Decodes an array of objects or arrays; a single object without an array is one element.

    Args:
        limit: largest element in characters.
    """

    def __init__(self, limit: int = MESSAGE_LIMIT) -> None:
        self._limit = limit
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._place: _Place = "start"
        self._single = False
        self._parts: list[str] = []
        self._size = 0
        self._nesting = Nesting()
        self._failure: LLMStreamError | None = None

    def feed(self, data: bytes) -> list[WireMessage]:
        """Take one read's bytes and return the elements they complete.

        Args:
            data: any length; may cut a string, an escape or a UTF-8 character anywhere.

        Raises:
            BadMessage: the body is not an array of objects, or an element is larger than the limit.
        """
        if self._failure is not None:
            raise self._failure
        messages: list[WireMessage] = []
        text = self._decoder.decode(data)
        at = 0
        try:
            while at < len(text):
                take = self._grow if self._place == "element" else self._step
                at = take(text, at, messages)
        except BadMessage as error:
            self._failure = error
            self._parts = []
            if not messages:
                raise
        return messages

    def _step(self, text: str, at: int, _: list[WireMessage]) -> int:
        """Handle one character between elements; return the index to continue at."""
        mark = text[at]
        if mark in _BLANK:
            return at + 1
        place = _NEXT[self._place].get(mark)
        if place is None:
            raise BadMessage(f"the answer is not a JSON array of objects: {mark!r} in it", phase="stream")
        if place == "element":
            self._nesting = Nesting()
            self._single = self._place == "start"
            self._place = place
            return at
        self._place = place
        return at + 1

    def _grow(self, text: str, at: int, messages: list[WireMessage]) -> int:
        """Add to the open element; return the index after the text that belongs to it."""
        end = self._nesting.end(text, at)
        part = text[at:] if end < 0 else text[at:end]
        self._size += len(part)
        if self._size > self._limit:
            raise too_large(self._limit)
        self._parts.append(part)
        if end < 0:
            return len(text)
        messages.append(WireMessage("", "".join(self._parts)))
        self._parts = []
        self._size = 0
        self._place = "end" if self._single else "behind"
        return end

    def close(self) -> list[WireMessage]:
        """End the body; returns no messages, because complete elements have already been returned.

        Raises:
            StreamEndedEarly: the array, or an element in it, is not closed.
            BadMessage: `feed` found a fault after good elements.
        """
        if self._failure is not None:
            raise self._failure
        if self._place not in ("start", "end"):
            raise StreamEndedEarly("the answer ends inside a JSON array", phase="stream")
        return []
