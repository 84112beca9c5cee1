"""AWS event stream frames, the framing of Bedrock's ConverseStream.

A frame consists of a prelude (total length, headers length, CRC-32 of these two), headers, a payload
and a CRC-32 of everything before it.  Numbers are big-endian.

Sources: Amazon Transcribe Developer Guide, "Event stream encoding"; Smithy 2.0, "Amazon Event
Stream Specification", sections "Message" and "Headers"; botocore/eventstream.py for the limit on
headers.
"""

from __future__ import annotations

import binascii
import struct
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from llmstream.errors import BadMessage, LLMStreamError, StreamEndedEarly
from llmstream.wire.message import MESSAGE_LIMIT, WireMessage

HeaderType: TypeAlias = Literal[
    "true", "false", "byte", "short", "integer", "long", "bytes", "string", "timestamp", "uuid"
]
FrameFault: TypeAlias = Literal[
    "prelude_crc",
    "message_crc",
    "total_length",
    "headers_length",
    "payload_length",
    "header_type",
    "header_truncated",
    "header_utf8",
    "duplicate_header",
]

FAULTS: Final[dict[FrameFault, str]] = {
    "prelude_crc": "the checksum of a frame's lengths is wrong",
    "message_crc": "the checksum of a frame is wrong",
    "total_length": "a frame is shorter than a frame can be",
    "headers_length": "a frame's headers are longer than they can be",
    "payload_length": "a frame is larger than the limit",
    "header_type": "a frame's header has an unknown type",
    "header_truncated": "a frame's header goes beyond the headers",
    "header_utf8": "a frame's header is not UTF-8",
    "duplicate_header": "a frame has the same header twice",
}
"""Possible faults of a frame, with the start of the error message for each."""

_PRELUDE: Final = struct.Struct(">III")
_CHECKSUM: Final = struct.Struct(">I")
_SMALLEST: Final = _PRELUDE.size + _CHECKSUM.size
_HEADERS_LIMIT: Final = 128 * 1024

# The index is the type's number on the wire; None means that the value is preceded by its length.
_TYPES: Final[tuple[tuple[HeaderType, struct.Struct | None], ...]] = (
    ("true", struct.Struct("")),
    ("false", struct.Struct("")),
    ("byte", struct.Struct(">b")),
    ("short", struct.Struct(">h")),
    ("integer", struct.Struct(">i")),
    ("long", struct.Struct(">q")),
    ("bytes", None),
    ("string", None),
    ("timestamp", struct.Struct(">q")),
    ("uuid", struct.Struct("16s")),
)


class Header(NamedTuple):
    """One header of a frame.

    Args:
        name: including a leading colon.
        type: its type on the wire.
        value: bool for ``true`` and ``false``; int for the four integers and ``timestamp``
            (milliseconds since 1970, UTC); bytes for ``bytes`` and ``uuid``; str for ``string``.
    """

    name: str
    type: HeaderType
    value: bool | int | str | bytes


class Frame(NamedTuple):
    """One frame whose checksums were correct.

    Args:
        headers: in wire order.
        payload: usually JSON.
    """

    headers: tuple[Header, ...]
    payload: bytes

    def text(self, name: str) -> str:
        """Return the string header `name`, empty if it is missing or not a string."""
        for header in self.headers:
            if header.name == name and isinstance(header.value, str):
                return header.value
        return ""


class AWSEventStreamDecoder:
    """Decodes ``application/vnd.amazon.eventstream``.

    Args:
        limit: largest frame in bytes.
    """

    def __init__(self, limit: int = MESSAGE_LIMIT) -> None:
        self._limit = limit
        self._held = bytearray()
        self._total = 0
        self._headers_length = 0
        self._failure: LLMStreamError | None = None

    def feed(self, data: bytes) -> list[WireMessage]:
        """Take one read's bytes and return the frames they complete as messages.

        An event's message is named after its ``:event-type``, an exception's ``exception:`` plus its
        ``:exception-type``, and an error's ``exception:`` plus its ``:error-code``.  The data of an error
        without a payload is its ``:error-message``.

        Args:
            data: any length; may cut a frame anywhere.

        Raises:
            BadMessage: as for `frames`.
        """
        return [_message(frame) for frame in self.frames(data)]

    def frames(self, data: bytes) -> list[Frame]:
        """Take one read's bytes and return the frames they complete, with all headers.

        Args:
            data: any length; may cut a frame anywhere.

        Raises:
            BadMessage: a frame is invalid; the error message starts with one of `FAULTS`.
        """
        if self._failure is not None:
            raise self._failure
        self._held += data
        frames: list[Frame] = []
        at = 0
        try:
            while (size := self._size(at)) and len(self._held) - at >= size:
                frames.append(self._frame(bytes(self._held[at : at + size])))
                at += size
                self._total = 0
        except BadMessage as error:
            self._failure = error
            self._held.clear()
            if not frames:
                raise
        del self._held[:at]
        return frames

    def _size(self, at: int) -> int:
        """Return the length of the frame at `at` in bytes, 0 while its prelude is incomplete."""
        if self._total or len(self._held) - at < _PRELUDE.size:
            return self._total
        total, headers_length, checksum = _PRELUDE.unpack_from(self._held, at)
        # Checked first, because with a flipped bit in a length we would wait for gigabytes.
        if binascii.crc32(self._held[at : at + 8]) != checksum:
            raise _fault("prelude_crc")
        if total < _SMALLEST:
            raise _fault("total_length")
        if headers_length > min(total - _SMALLEST, _HEADERS_LIMIT):
            raise _fault("headers_length")
        if total > self._limit:
            raise _fault("payload_length")
        self._total, self._headers_length = total, headers_length
        return self._total

    def _frame(self, block: bytes) -> Frame:
        """Return the frame in `block`, after checking its CRC."""
        end = len(block) - _CHECKSUM.size
        if binascii.crc32(memoryview(block)[:end]) != _CHECKSUM.unpack_from(block, end)[0]:
            raise _fault("message_crc")
        payload = _PRELUDE.size + self._headers_length
        return Frame(_headers(block[_PRELUDE.size : payload]), block[payload:end])

    def close(self) -> list[WireMessage]:
        """End the body; returns no messages, because complete frames have already been returned.

        Raises:
            StreamEndedEarly: the body ends inside a frame.
            BadMessage: `feed` found a fault after good frames.
        """
        if self._failure is not None:
            raise self._failure
        if self._held:
            raise StreamEndedEarly("the answer ends inside a frame", phase="stream")
        return []


# Cached, because a provider uses few event types and repeats the same headers for each token.
@lru_cache(maxsize=32)
def _headers(block: bytes) -> tuple[Header, ...]:
    """Return the headers in `block`."""
    headers: dict[str, Header] = {}
    at = 0
    try:
        while at < len(block):
            raw_name, at = _sized(block, at + 1, block[at])
            name = raw_name.decode("utf-8")
            if name in headers:
                raise _fault("duplicate_header", name)
            headers[name], at = _value(name, block, at)
    except (IndexError, struct.error):
        raise _fault("header_truncated") from None
    except UnicodeDecodeError:
        raise _fault("header_utf8") from None
    return tuple(headers.values())


def _value(name: str, block: bytes, at: int) -> tuple[Header, int]:
    """Return the header whose type byte is at `at`, and the index after its value."""
    if block[at] >= len(_TYPES):
        raise _fault("header_type", str(block[at]))
    kind, layout = _TYPES[block[at]]
    at += 1
    if layout is None:
        value, at = _sized(block, at + 2, int.from_bytes(block[at : at + 2], "big"))
        return Header(name, kind, value.decode("utf-8") if kind == "string" else value), at
    values = layout.unpack_from(block, at)
    return Header(name, kind, values[0] if values else kind == "true"), at + layout.size


def _sized(block: bytes, at: int, length: int) -> tuple[bytes, int]:
    """Return the `length` bytes at `at`, and the index after them."""
    end = at + length
    if end > len(block):
        raise _fault("header_truncated")
    return block[at:end], end


def _message(frame: Frame) -> WireMessage:
    data = frame.payload.decode("utf-8", "replace")
    message_type = frame.text(":message-type")
    if message_type == "exception":
        return WireMessage("exception:" + frame.text(":exception-type"), data)
    if message_type == "error":
        return WireMessage("exception:" + frame.text(":error-code"), data or frame.text(":error-message"))
    return WireMessage(frame.text(":event-type"), data)


def _fault(fault: FrameFault, detail: str = "") -> BadMessage:
    return BadMessage(FAULTS[fault] + (f": {detail!r}" if detail else ""), phase="stream")
