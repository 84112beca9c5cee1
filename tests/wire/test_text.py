"""Plain text, and a body that is one document."""

from __future__ import annotations

import pytest

from llmstream.errors import BadMessage
from llmstream.wire.text import TextDecoder
from llmstream.wire.whole import WholeDecoder

from .loader import all_cuts, decode

TEXT = "é€😀\r\n\u2028\x1b[0m \ufeff"


def test_text_is_the_same_however_it_is_cut() -> None:
    for reads in all_cuts(TEXT.encode()):
        messages = decode(TextDecoder(), reads)
        assert "".join(message.data for message in messages) == TEXT
        assert all(message.data for message in messages[:-1])
        assert [message.event for message in messages if message.event] == ["end"]


def test_text_of_a_read_is_given_at_once_but_for_a_character_cut_in_it() -> None:
    decoder = TextDecoder()
    assert [m.data for m in decoder.feed("a€".encode()[:3])] == ["a"]
    assert [m.data for m in decoder.feed("€".encode()[2:] + b"b")] == ["€b"]


def test_invalid_bytes_and_a_cut_last_character_are_replaced() -> None:
    for reads in all_cuts(b"a\xffb\xf0\x9f\x98"):
        assert "".join(message.data for message in decode(TextDecoder(), reads)) == "a\ufffdb\ufffd"


def test_whole_document_is_given_once_at_the_end() -> None:
    for reads in all_cuts(b'\xef\xbb\xbf{"a":\n "\xc3\xa9"}\n'):
        decoder = WholeDecoder()
        assert [message for data in reads for message in decoder.feed(data)] == []
        assert decoder.close() == [("whole", '{"a":\n "é"}\n', "")]


@pytest.mark.parametrize("data", [b"", b" \r\n", b"\xef\xbb\xbf"])
def test_blank_body_is_no_document(data: bytes) -> None:
    assert decode(WholeDecoder(), [data]) == []


def test_body_over_the_limit_is_refused_again_by_each_later_call() -> None:
    assert len(decode(WholeDecoder(limit=4), [b"12", b"34"])) == 1
    decoder = WholeDecoder(limit=4)
    decoder.feed(b"12")
    for data in (b"345", b"6"):
        with pytest.raises(BadMessage, match="larger than 4 bytes"):
            decoder.feed(data)
    with pytest.raises(BadMessage, match="larger than 4 bytes"):
        decoder.close()
