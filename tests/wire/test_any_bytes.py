"""What holds for every decoder and any bytes: cuts don't matter, and only our errors come."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmstream.errors import LLMStreamError
from llmstream.wire.aws_eventstream import AWSEventStreamDecoder
from llmstream.wire.document import parse, parse_object
from llmstream.wire.inflate import Inflater
from llmstream.wire.json_array import JSONArrayDecoder
from llmstream.wire.message import Decoder
from llmstream.wire.ndjson import NDJSONDecoder
from llmstream.wire.sniff import choose
from llmstream.wire.sse import SSEDecoder
from llmstream.wire.text import TextDecoder
from llmstream.wire.whole import WholeDecoder

from .loader import cut, load
from .test_aws_eventstream import frame

LIMIT = 64

PIECES = [
    *(
        b"data: ",
        b"data:",
        b"data",
        b"event: ",
        b"id: ",
        b"retry: 5",
        b": c",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b" ",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b"\\",
        b",",
        b":",
        b"1",
        b'{"a":1}',
        b"x",
        b"\t",
        b"\0",
        b"<",
        b"</title>",
    ),
    *(b"\xef\xbb\xbf", "é€😀\u2028\x85".encode(), b"\xff", b"\xf0\x9f", b"y" * 30),
    *(
        frame(b"1"),
        frame(b"{}", b"\x01a\x00"),
        frame(b"", b"\x01a\xff"),
        frame(b"z" * 60),
        b"\0\0\0\x10\0\0\0\0",
    ),
]

DECODERS: dict[str, Callable[[], Decoder]] = {
    "sse": lambda: SSEDecoder(LIMIT),
    "ndjson": lambda: NDJSONDecoder(LIMIT),
    "aws": lambda: AWSEventStreamDecoder(LIMIT),
    "json-array": lambda: JSONArrayDecoder(LIMIT),
    "whole": lambda: WholeDecoder(LIMIT),
    "sniffed sse": lambda: choose("sse", "", LIMIT),
    "sniffed event stream": lambda: choose("sse", "text/event-stream", LIMIT),
    "sniffed json": lambda: choose("ndjson", "application/json", LIMIT),
}

bodies = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join),
    st.binary(max_size=120),
)
offsets = st.lists(st.integers(0, 200), max_size=12).map(sorted)


def outcome(decoder: Decoder, reads: list[bytes]) -> tuple[list[tuple[str, str, str]], str]:
    """Return the messages, and the error that ended them; any error but ours passes through."""
    messages: list[tuple[str, str, str]] = []
    try:
        for data in reads:
            messages += decoder.feed(data)
        messages += decoder.close()
    except LLMStreamError as error:
        return messages, repr(error)
    return messages, ""


@pytest.mark.parametrize("name", DECODERS)
@given(data=bodies, at=offsets)
@settings(max_examples=300, deadline=None)
def test_cuts_change_neither_messages_nor_errors(name: str, data: bytes, at: list[int]) -> None:
    at = [offset for offset in at if offset < len(data)]
    make = DECODERS[name]
    assert outcome(make(), cut(data, at)) == outcome(make(), [data])


@given(data=bodies, at=offsets)
@settings(max_examples=200, deadline=None)
def test_cuts_do_not_change_text(data: bytes, at: list[int]) -> None:
    at = [offset for offset in at if offset < len(data)]
    messages, _ = outcome(TextDecoder(), cut(data, at))
    assert "".join(message[1] for message in messages) == data.decode("utf-8", "replace")


def by_the_standard(data: bytes) -> list[tuple[str, str, str]]:
    """Interpret an event stream as the standard words it, one step after the other."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    events, buffer, event, last_id = [], "", "", ""
    for line in text.split("\n")[:-1]:
        if line == "":
            if buffer:
                events.append((event or "message", buffer[:-1], last_id))
            buffer = event = ""
            continue
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "data":
            buffer += value + "\n"
        elif field == "event":
            event = value
        elif field == "id" and "\0" not in value:
            last_id = value
    return events


@given(data=bodies, at=offsets)
@settings(max_examples=500, deadline=None)
def test_events_are_the_standards_where_no_line_is_bare_json(data: bytes, at: list[int]) -> None:
    data = data.replace(b"{", b"(").replace(b"[", b"(")
    at = [offset for offset in at if offset < len(data)]
    assert outcome(SSEDecoder(), cut(data, at)) == (by_the_standard(data), "")


@given(text=st.one_of(st.text(max_size=60), bodies.map(lambda data: data.decode("utf-8", "replace"))))
@settings(max_examples=300, deadline=None)
def test_parsers_raise_only_our_errors(text: str) -> None:
    for parser in (parse, parse_object):
        try:
            parser(text)
        except LLMStreamError as error:
            assert error.message.isprintable()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, deflate"])
@given(data=st.binary(max_size=80), at=offsets)
@settings(max_examples=200, deadline=None)
def test_inflating_any_bytes_raises_only_our_errors_and_cuts_do_not_matter(
    encoding: str, data: bytes, at: list[int]
) -> None:
    def inflated(reads: list[bytes]) -> tuple[bytes, str]:
        inflater = Inflater(encoding)
        found = b""
        try:
            for read in reads:
                for piece in inflater.feed(read):
                    found += piece
            inflater.close()
        except LLMStreamError as error:
            return b"", type(error).__name__
        return found, ""

    at = [offset for offset in at if offset < len(data)]
    assert inflated(cut(data, at)) == inflated([data])


@given(at=st.integers(0, 200), bit=st.integers(0, 7))
@settings(max_examples=200, deadline=None)
def test_flipped_bit_in_a_real_frame_is_never_a_message(at: int, bit: int) -> None:
    vector = next(vector for vector in load("eventstream") if vector["name"] == "bedrock-chunk")
    data = bytearray(base64.b64decode(vector["input_base64"]))
    data[at % len(data)] ^= 1 << bit
    messages, error = outcome(AWSEventStreamDecoder(), [bytes(data)])
    assert messages == []
    assert error
