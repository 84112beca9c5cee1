"""AWS event stream frames."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any

import pytest

from llmstream.errors import BadMessage, StreamEndedEarly
from llmstream.wire.aws_eventstream import FAULTS, AWSEventStreamDecoder, Frame, FrameFault
from llmstream.wire.message import WireMessage

from .loader import Vector, all_cuts, cut, cuttings, decode, decode_until_error, expected, load, name_of


def frame(payload: bytes, headers: bytes = b"", *, headers_length: int | None = None) -> bytes:
    """Return a frame with right checksums."""
    total = 16 + len(headers) + len(payload)
    prelude = struct.pack(">II", total, len(headers) if headers_length is None else headers_length)
    block = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + payload
    return block + struct.pack(">I", binascii.crc32(block))


def strings(**headers: str) -> bytes:
    """Return string headers; each name gets its colon, and hyphens for underscores."""
    block = b""
    for key, value in headers.items():
        name = (":" + key.replace("_", "-")).encode()
        block += bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
    return block


def item(found: Frame) -> dict[str, Any]:
    """Return a frame as the vectors have it."""
    values = [
        base64.b64encode(h.value).decode() if isinstance(h.value, bytes) else h.value for h in found.headers
    ]
    headers = [[header.name, header.type, value] for header, value in zip(found.headers, values, strict=True)]
    return {"headers": headers, "payload_base64": base64.b64encode(found.payload).decode()}


def items(reads: list[bytes]) -> list[dict[str, Any]]:
    """Return what the vectors expect: frames, and last the kind of the first error."""
    decoder = AWSEventStreamDecoder()
    found: list[dict[str, Any]] = []
    try:
        for data in reads:
            found += [item(one) for one in decoder.frames(data)]
        decoder.close()
    except StreamEndedEarly:
        found.append({"error": "truncated"})
    except BadMessage as error:
        found.append(
            {"error": next(kind for kind, words in FAULTS.items() if error.message.startswith(words))}
        )
    return found


def fault_of(block: bytes) -> FrameFault:
    """Return the kind of fault that `block` has, cut in all ways."""
    kinds = set()
    for reads in all_cuts(block):
        message = decode_until_error(AWSEventStreamDecoder(), reads)[1].partition(": ")[2]
        kinds |= {kind for kind, words in FAULTS.items() if message.startswith(words)}
    assert len(kinds) == 1
    return kinds.pop()


@pytest.mark.parametrize("vector", load("eventstream"), ids=name_of)
def test_vector_gives_the_same_frames_however_it_is_cut(vector: Vector) -> None:
    wanted = expected(vector)
    for reads in cuttings(vector):
        assert items(reads) == wanted


def test_event_is_named_by_its_event_type() -> None:
    block = frame("{é}".encode(), strings(message_type="event", event_type="contentBlockDelta"))
    assert decode(AWSEventStreamDecoder(), [block]) == [WireMessage("contentBlockDelta", "{é}")]


def test_exception_is_named_by_its_exception_type() -> None:
    block = frame(b"{}", strings(message_type="exception", exception_type="throttlingException"))
    assert decode(AWSEventStreamDecoder(), [block]) == [WireMessage("exception:throttlingException", "{}")]


def test_error_frame_is_named_by_its_error_code() -> None:
    block = frame(b"{}", strings(message_type="error", error_code="InternalError", error_message="sorry"))
    assert decode(AWSEventStreamDecoder(), [block]) == [WireMessage("exception:InternalError", "{}")]


def test_error_frame_without_payload_has_its_error_message_for_data() -> None:
    block = frame(b"", strings(message_type="error", error_code="InternalError", error_message="sorry"))
    assert decode(AWSEventStreamDecoder(), [block]) == [WireMessage("exception:InternalError", "sorry")]


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        (b"\x01a", "header_truncated"),
        (b"\x01a\x04\x00\x00", "header_truncated"),
        (b"\x01a\x07\x00", "header_truncated"),
        (b"\x01a\x07\x00\x05abc", "header_truncated"),
        (b"\x01a\x09" + b"u" * 15, "header_truncated"),
        (b"\x01\xff\x00", "header_utf8"),
        (b"\x01a\x07\x00\x01\xff", "header_utf8"),
        (b"\x01a\xff", "header_type"),
        (b"\x01a\x00\x01a\x01", "duplicate_header"),
    ],
)
def test_wrong_header_is_refused(headers: bytes, fault: FrameFault) -> None:
    assert fault_of(frame(b"", headers)) == fault


def test_headers_over_their_own_limit_are_refused_from_the_prelude() -> None:
    block = frame(b"x" * 200_000, headers_length=128 * 1024 + 1)[:12]
    assert fault_of(block) == "headers_length"


def test_frame_over_the_limit_is_refused_from_the_prelude() -> None:
    assert decode(AWSEventStreamDecoder(limit=17), [frame(b"a")]) == [WireMessage("", "a")]
    with pytest.raises(BadMessage, match="larger than the limit"):
        AWSEventStreamDecoder(limit=17).feed(frame(b"ab")[:12])


@pytest.mark.parametrize("place", range(17))
def test_any_flipped_bit_is_refused_and_frames_before_it_are_given(place: int) -> None:
    good, bad = frame(b"1"), bytearray(frame(b"2"))
    bad[place] ^= 0x10
    for reads in all_cuts(good + bytes(bad)):
        messages, error = decode_until_error(AWSEventStreamDecoder(), reads)
        assert messages == [WireMessage("", "1")]
        assert "checksum" in error


def test_frame_behind_good_ones_in_one_read_is_refused_by_the_next_call() -> None:
    decoder = AWSEventStreamDecoder()
    assert decoder.feed(frame(b"1") + b"\0" * 12) == [WireMessage("", "1")]
    with pytest.raises(BadMessage, match=r"shorter than|checksum"):
        decoder.feed(b"")
    with pytest.raises(BadMessage):
        decoder.close()


def test_frame_is_given_with_its_last_byte() -> None:
    block = frame(b"1")
    decoder = AWSEventStreamDecoder()
    given = [decoder.feed(data) for data in cut(block + block, [16, 17, 33])]
    assert [len(messages) for messages in given] == [0, 1, 0, 1]
