"""The choice of a decoder by content type and first byte."""

from __future__ import annotations

import subprocess
import sys

import pytest

from llmstream.errors import BadMessage, UsageError
from llmstream.wire import decoder
from llmstream.wire.message import WireMessage

from .loader import all_cuts, by, decode, decode_until_error

JSON = b'{"a": 1}'
EVENT = b"data: a\n\n"
LINES = b'{"a": 1}\n{"b": 2}\n'

WHOLE = [WireMessage("whole", '{"a": 1}')]
ONE_EVENT = [WireMessage("message", "a")]
TWO_LINES = [WireMessage("", '{"a": 1}'), WireMessage("", '{"b": 2}')]
ONE_ELEMENT = [WireMessage("", '{"a": 1}')]


@pytest.mark.parametrize(
    ("framing", "content_type", "data", "wanted"),
    [
        ("sse", "text/event-stream", EVENT, ONE_EVENT),
        ("sse", "Text/Event-Stream;charset=UTF-8", EVENT, ONE_EVENT),
        ("sse", "text/event-stream", JSON, [WireMessage("bare", '{"a": 1}')]),
        ("sse", "text/event-stream", b"\n \xef\xbb\xbf\n" + EVENT, ONE_EVENT),
        ("sse", "text/event-stream", b"\xef\xbb\xbf" + EVENT, ONE_EVENT),
        ("sse", "", EVENT, ONE_EVENT),
        ("sse", "", JSON, WHOLE),
        ("sse", "text/plain", EVENT, ONE_EVENT),
        ("sse", "application/json", EVENT, ONE_EVENT),
        ("sse", "application/json; charset=utf-8", JSON, WHOLE),
        ("sse", "application/json", b"\xef\xbb\xbf" + JSON, WHOLE),
        ("sse", "application/octet-stream", JSON, WHOLE),
        ("sse", "application/json", b"[" + JSON + b"]", ONE_ELEMENT),
        ("sse", "application/x-ndjson", LINES, TWO_LINES),
        ("sse", "application/stream+json", LINES, TWO_LINES),
        ("aws", "application/json", JSON, WHOLE),
        ("aws", "", b"", []),
        ("ndjson", "application/json", LINES, TWO_LINES),
        ("ndjson", "", LINES, TWO_LINES),
        ("ndjson", "text/event-stream", EVENT, ONE_EVENT),
        ("json-array", "application/json", b"[" + JSON + b"]", ONE_ELEMENT),
        ("json-array", "application/json", JSON, ONE_ELEMENT),
        ("json-array", "text/event-stream", EVENT, ONE_EVENT),
        ("whole", "application/json", JSON, WHOLE),
        ("whole", "text/event-stream", EVENT, ONE_EVENT),
        ("whole", "application/x-ndjson", LINES, TWO_LINES),
        ("whole", "application/json", EVENT, ONE_EVENT),
        ("whole", "", b": ping\n\nevent: x\n" + EVENT, [WireMessage("x", "a")]),
        ("ndjson", "", b"\n" + EVENT, ONE_EVENT),
        ("whole", "text/plain", b"dat", [WireMessage("whole", "dat")]),
        ("whole", "text/plain", b"\nid ", [WireMessage("whole", "\nid ")]),
        ("whole", "text/plain", b"eventful", [WireMessage("whole", "eventful")]),
    ],
)
def test_type_and_first_byte_choose_the_decoder(
    framing: str, content_type: str, data: bytes, wanted: list[WireMessage]
) -> None:
    for reads in all_cuts(data):
        assert decode(decoder(framing, content_type), reads) == wanted


def test_event_stream_type_chooses_frames_whatever_was_expected() -> None:
    frame = bytes.fromhex("000000100000000005c248eb7d98c8ff")
    assert decode(decoder("sse", "application/vnd.amazon.eventstream"), [frame]) == [WireMessage("", "")]


def test_events_come_out_of_a_sniffed_stream_with_their_read() -> None:
    sniffed = decoder("sse", "")
    assert sniffed.feed(b"\r\n") == []
    assert sniffed.feed(EVENT) == ONE_EVENT
    assert sniffed.feed(EVENT) == ONE_EVENT


@pytest.mark.parametrize("framing", ["sse", "ndjson", "json-array", "aws", "whole"])
@pytest.mark.parametrize(
    "content_type", ["text/html; charset=utf-8", "application/json", "text/event-stream", ""]
)
def test_web_page_is_refused_by_its_title(framing: str, content_type: str) -> None:
    page = b"\n<!DOCTYPE html><title lang=en>Sign in\n to  Wi-Fi</title><p>" + b"x" * 50
    for reads in all_cuts(page):
        messages, error = decode_until_error(decoder(framing, content_type), reads)
        assert messages == []
        assert error.startswith("BadMessage: the answer is a web page")
    sniffed = decoder(framing, content_type)
    with pytest.raises(BadMessage) as raised:
        sniffed.feed(page)
    assert raised.value.quote == "Sign in to Wi-Fi"


@pytest.mark.parametrize("data", [b"<p>" + b"x" * 9000, b"<title>" + b"x" * 9000])
def test_page_without_title_is_refused_before_its_end(data: bytes) -> None:
    sniffed = decoder("sse", "")
    with pytest.raises(BadMessage, match=r"a web page, not an API's answer$"):
        for read in by(100, data):
            sniffed.feed(read)


def test_text_that_is_declared_a_page_is_refused() -> None:
    _, error = decode_until_error(decoder("sse", "text/html"), [b"Bad gateway"])
    assert error == "BadMessage: the answer is a web page (text/html), not an API's answer"


@pytest.mark.parametrize("framing", ["sse", "ndjson", "json-array", "aws", "whole"])
@pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/event-stream", ""])
@pytest.mark.parametrize("data", [b"", b" \r\n\t"])
def test_empty_body_gives_nothing(framing: str, content_type: str, data: bytes) -> None:
    for reads in all_cuts(data):
        assert decode(decoder(framing, content_type), reads) == []


@pytest.mark.parametrize(
    ("content_type", "event"), [("application/json", "whole"), ("text/event-stream", "bare")]
)
def test_document_behind_endless_blank_lines_is_found(content_type: str, event: str) -> None:
    reads = [b"\n"] * 20_000 + [JSON]
    assert decode(decoder("sse", content_type), reads)[0].event == event


def test_command_output_is_text_whatever_it_begins_with() -> None:
    assert decode(decoder("text", ""), [b"<html>"]) == [WireMessage("", "<html>"), WireMessage("end", "")]


def test_unknown_framing_is_named() -> None:
    with pytest.raises(UsageError, match="'xml'"):
        decoder("xml", "")


def test_only_the_decoder_that_is_needed_is_imported() -> None:
    program = (
        "import sys; from llmstream.wire import decoder; "
        "decoder('sse', 'text/event-stream').feed(b'data: a\\n\\n'); "
        "print(*sorted(name for name in sys.modules if name.startswith('llmstream.wire.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"llmstream.wire.{name}" for name in ("lines", "message", "sniff", "sse")]
