"""Server-sent events: the standard's rules, and the bare documents that providers add."""

from __future__ import annotations

import time

import pytest

from llmstream.errors import BadMessage
from llmstream.wire.inflate import Inflater
from llmstream.wire.message import WireMessage
from llmstream.wire.sse import SSEDecoder

from .loader import Vector, all_cuts, body, by, cuttings, decode, decode_until_error, expected, load, name_of

VECTORS = [vector for vector in load("sse") if vector["content_encoding"] in (None, "gzip", "deflate")]

GEMINI_FAILURE = (
    b'data: {"a": 1}\r\n\r\n'
    b'{\r\n  "error": {\r\n    "message": "a \\" } {",\r\n    "code": 499\r\n  }\r\n}\r\n'
)


def plain(vector: Vector, reads: list[bytes]) -> list[bytes]:
    """Return the reads as they are behind the vector's content encoding."""
    if vector["content_encoding"] is None:
        return reads
    inflater = Inflater(vector["content_encoding"])
    return [piece for data in reads for piece in inflater.feed(data)]


@pytest.mark.parametrize("vector", VECTORS, ids=name_of)
def test_vector_gives_the_same_events_however_it_is_cut(vector: Vector) -> None:
    wanted = [WireMessage(item["event"], item["data"], item["id"]) for item in expected(vector)]
    began = time.monotonic()
    for count, reads in enumerate(cuttings(vector), 1):
        decoder = SSEDecoder()
        assert decode(decoder, plain(vector, reads)) == wanted
        assert decoder.retry == vector["retry"]
        if "max_seconds" in vector:
            assert time.monotonic() - began < vector["max_seconds"] * count


def test_flushed_gzip_gives_each_event_with_the_read_that_brought_it() -> None:
    vector = next(v for v in VECTORS if v["name"] == "content-encoding-gzip-flushed")
    first = body(vector)[:25]
    decoder = SSEDecoder()
    messages = [m for piece in Inflater("gzip").feed(first) for m in decoder.feed(piece)]
    assert messages == [WireMessage("message", "a")]


def test_event_is_given_with_the_read_that_ends_its_blank_line() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\ndata: b\r\n\r") == [WireMessage("message", "a"), WireMessage("message", "b")]
    assert decoder.feed(b"\n") == []


def test_bare_document_between_events_is_given_when_its_brackets_close() -> None:
    for reads in all_cuts(GEMINI_FAILURE):
        decoder = SSEDecoder()
        messages = [message for data in reads for message in decoder.feed(data)]
        assert [message.event for message in messages] == ["message", "bare"]
        assert messages[1].data == ('{\n  "error": {\n    "message": "a \\" } {",\n    "code": 499\n  }\n}')
        assert decoder.close() == []


def test_events_go_on_behind_a_bare_document() -> None:
    data = b'{"error":\n\n1}\ndata: a\n\n[1]\ndata: b\n\n'
    wanted = [("bare", '{"error":\n\n1}'), ("message", "a"), ("bare", "[1]"), ("message", "b")]
    for reads in all_cuts(data):
        assert [(m.event, m.data) for m in decode(SSEDecoder(), reads)] == wanted


@pytest.mark.parametrize("space", [b" ", b""])
def test_events_without_blank_lines_are_told_apart_by_their_brackets(space: bytes) -> None:
    lines = [b'{"a": 1}', b'{"b":', b'{"c": 2}', b"}", b"{}", b"[DONE]"]
    data = b"".join(b"data:" + space + line + b"\n" for line in lines)
    for reads in all_cuts(data):
        decoder = SSEDecoder()
        assert [m.data for m in decode(decoder, reads)] == ['{"a": 1}', '{"b":\n{"c": 2}\n}', "{}"]
        assert decoder.leftover == WireMessage("message", "[DONE]")


@pytest.mark.parametrize(
    "data", [b'{"error": "no"}', b'\xef\xbb\xbf{"error": "no"}', b'{"error": "no"}\n', b"\r\n{"]
)
def test_body_that_is_only_a_document_is_given_at_the_end(data: bytes) -> None:
    text = data.decode("utf-8-sig").strip()
    for reads in all_cuts(data):
        assert decode(SSEDecoder(), reads) == [WireMessage("bare", text)]


def test_unfinished_bare_document_is_given_at_the_end() -> None:
    for reads in all_cuts(b'{\n "error": {\n  "mess'):
        assert decode(SSEDecoder(), reads) == [WireMessage("bare", '{\n "error": {\n  "mess')]


@pytest.mark.parametrize(
    ("data", "leftover"),
    [
        (b"data: a\n\n", None),
        (b"data: a\n\ndata: b\n", WireMessage("message", "b")),
        (b"event: error\ndata: b", WireMessage("error", "b")),
        (b"event: error\n: c", None),
    ],
)
def test_dropped_last_event_is_left_over(data: bytes, leftover: WireMessage | None) -> None:
    for reads in all_cuts(data):
        decoder = SSEDecoder()
        decode(decoder, reads)
        assert decoder.leftover == leftover


@pytest.mark.parametrize(
    "giant",
    [
        b"data: " + b"x" * 30,
        b"x" * 36,
        b"data: xxxx\n" * 4,
        b"{" + b"\n1" * 20,
        b"data: " + b"x" * 30 + b"\n\n",
    ],
)
def test_event_over_the_limit_is_refused_and_those_before_it_are_given(giant: bytes) -> None:
    data = b"data: a\n\nevent: e\ndata: b\n\n" + giant
    for reads in all_cuts(data):
        messages, error = decode_until_error(SSEDecoder(limit=32), reads)
        assert [message.data for message in messages] == ["a", "b"]
        assert error == "BadMessage: a message of the answer is larger than 32 bytes"


def test_event_of_exactly_the_limit_is_given() -> None:
    line = b"data: " + b"x" * 26
    assert (
        decode(SSEDecoder(limit=32), by(5, line + b"\n\n" + line + b"\n\n"))
        == [("message", "x" * 26, "")] * 2
    )


def test_refusal_is_raised_again_by_each_later_call() -> None:
    decoder = SSEDecoder(limit=8)
    for data in (b"x" * 9, b"\n\n", b""):
        with pytest.raises(BadMessage, match="larger than 8 bytes"):
            decoder.feed(data)
    with pytest.raises(BadMessage, match="larger than 8 bytes"):
        decoder.close()


def test_retry_of_thousands_of_digits_is_ignored() -> None:
    decoder = SSEDecoder()
    decoder.feed(b"retry: 5\nretry: " + b"9" * 5000 + b"\n")
    assert decoder.retry == 5


def test_bare_document_of_many_lines_takes_linear_time() -> None:
    def seconds(lines: int) -> float:
        reads = by(4096, b"{\n" + b'"]}\\"":"{",\n}{\n' * lines)
        began = time.thread_time()
        decode(SSEDecoder(), reads)
        return time.thread_time() - began

    # Ten times the lines: ten times the time when linear, a hundred when not.
    assert min(seconds(20_000) for _ in range(3)) < 40 * min(seconds(2000) for _ in range(3))
