"""Our parser of HTTP answers beside h11's: the same bytes, the same verdict and the same body."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmstream.transport.http.parser import HEAD_LIMIT, CutShort, NotHttp, Parser

GOOD = {
    "counted": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=1\r\n wo\r\n0\r\n\r\n",
    "trailers": b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n",
    "to the end": b"HTTP/1.1 200 OK\r\n\r\nall that comes",
    "old": b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx",
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nX-A: one\r\n\ttwo\r\nContent-Length: 1\r\n\r\nx",
    "bare newlines": b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
    "the same length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "length and chunked": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    ),
    "latin": "HTTP/1.1 200 Très bien\r\nX-A: é\r\nContent-Length: 1\r\n\r\nx".encode("latin-1"),
}
BAD = {
    "chunks beside a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length:0 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "not http": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "no version": b"HTTP/x.y 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "a space in a name": b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx",
    "no colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "a NUL": b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a signed length": b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
    "no number": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nx",
    "doubled coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a long chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "a bare newline after a size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
    "bad trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nnonsense\r\n\r\n",
    "a cut head": b"HTTP/1.1 200 OK\r\nConte",
    "a cut body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
    "a cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "nothing": b"",
}


class Verdict(NamedTuple):
    """What a parser makes of bytes: status and body as far as they go, and whether the answer is whole."""

    status: int
    body: bytes
    whole: bool


def ours(reads: list[bytes]) -> Verdict:
    parser, body = Parser(), b""
    try:
        for data in reads:
            if data and not parser.complete:
                body += parser.feed(data)
        if not parser.complete:
            parser.close()
    except NotHttp:
        return Verdict(parser.status if parser.status >= 200 else 0, body, whole=False)
    return Verdict(parser.status, body, whole=True)


def theirs(reads: list[bytes]) -> Verdict:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    status, body = 0, b""
    try:
        for data in [*(read for read in reads if read), b""]:
            connection.receive_data(data)
            while (event := connection.next_event()) is not h11.NEED_DATA:
                match event:
                    case h11.Response():
                        status = event.status_code
                    case h11.Data():
                        body += event.data
                    case h11.EndOfMessage():
                        return Verdict(status, body, whole=True)
                    case h11.ConnectionClosed() | h11.PAUSED:
                        return Verdict(status, body, whole=False)
    except h11.RemoteProtocolError:
        pass
    return Verdict(status, body, whole=False)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_answer_is_read_at_every_cut_as_h11_reads_it(name: str) -> None:
    data = GOOD[name]
    expected = theirs([data])
    assert expected.whole
    assert ours([data]) == expected
    assert ours([data[at : at + 1] for at in range(len(data))]) == expected
    for cut in range(len(data)):
        assert ours([data[:cut], data[cut:]]) == expected


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_refused_at_every_cut_as_h11_refuses_it(name: str) -> None:
    data = BAD[name]
    assert not theirs([data]).whole
    for cut in range(len(data) + 1):
        assert not ours([data[:cut], data[cut:]]).whole


ANSWERS = st.sampled_from([*GOOD.values(), *BAD.values()])
MUTATED = st.tuples(ANSWERS, st.lists(st.tuples(st.integers(0, 150), st.sampled_from(
    [b"", b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b"0", b"5", b":", b";", b",", b"chunked", b"HTTP/1.1 100 C\r\n\r\n", b"\xff"]
)), max_size=3)).map(lambda given: _changed(*given))  # fmt: skip


def _changed(data: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    for at, change in changes:
        data = data[:at] + change + data[at + (not change) :]
    return data


def known_difference(data: bytes, one: Verdict, other: Verdict) -> str:
    """Return why the two may differ, empty when they may not."""
    first = data.partition(b"\n")[0]
    if b"HTTP/1.1 101" in data or (b"HTTP/1.1 1" in first[:10] and not one.whole and not other.whole):
        return "a switch of protocols is an answer for h11, and none for us who never ask for it"
    if re.search(rb"[0-9A-Fa-f][ \t]+;", data):
        return "blanks before a chunk's extension, which RFC 9112 (7.1.1) allows and h11 doesn't"
    if re.search(rb"[0-9A-Fa-f];[^\n]*?(?!\r\n)[\x00-\x08\x0a-\x1f\x7f]", data):
        return "control characters in a chunk's extension, which h11 lets through"
    if b"HTTP/1.1 0" in data:
        return "codes that don't exist"
    return ""


@settings(max_examples=400, deadline=None)
@given(MUTATED, st.lists(st.integers(0, 200), max_size=4))
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\rX", [])
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\nA: b\r\n\r\n", [])
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", [])
def test_whatever_comes_is_read_as_h11_reads_it(data: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut <= len(data))})
    reads = [data[start:end] for start, end in pairwise(edges)]
    one, other = ours(reads), theirs([data])
    if known_difference(data, one, other):
        return
    assert one.whole == other.whole
    if one.whole:
        assert one == other
    else:
        # what was good before the fault has been given out, if in other pieces
        assert one.body.startswith(other.body) or other.body.startswith(one.body)


def test_body_before_a_fault_in_the_same_read_is_given_out_first() -> None:
    parser = Parser()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert parser.feed(head + b"5\r\nhello\r\nzz\r\n") == b"hello"
    assert isinstance(parser.failure, NotHttp)
    with pytest.raises(NotHttp):
        parser.feed(b"more")


@pytest.mark.parametrize(
    ("name", "reusable"),
    [("counted", True), ("chunked", True), ("no content", True), ("old", False), ("to the end", False), ("length and chunked", False)],
)  # fmt: skip
def test_only_an_answer_with_an_end_of_its_own_leaves_a_connection_for_the_next(
    name: str, reusable: bool
) -> None:
    parser = Parser()
    parser.feed(GOOD[name])
    assert parser.reusable is (reusable and parser.complete)


def test_bytes_behind_an_answer_are_nobodys_and_end_the_connection() -> None:
    for name in ("counted", "chunked", "empty"):
        parser = Parser()
        parser.feed(GOOD[name] + b"HTTP/1.1 200 OK\r\n")
        assert parser.complete and not parser.reusable
        parser = Parser()
        parser.feed(GOOD[name])
        parser.feed(b"HTTP/1.1 200 OK\r\n")
        assert not parser.reusable


def test_connection_close_ends_the_connection() -> None:
    parser = Parser()
    parser.feed(GOOD["counted"].replace(b"Content", b"Connection: Keep-Alive, Close\r\nContent"))
    assert parser.complete and not parser.reusable


@pytest.mark.parametrize(
    "endless",
    [b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000, GOOD["chunked"][:47] + b"5;" + b"x" * 110_000,
     GOOD["chunked"][:47] + b"0\r\n" + b"A: b\r\n" * 20_000],
    ids=["head", "chunk's first line", "trailers"],
)  # fmt: skip
def test_what_has_no_end_is_given_up(endless: bytes) -> None:
    parser = Parser()
    with pytest.raises(NotHttp):
        for at in range(0, len(endless), 1000):
            parser.feed(endless[at : at + 1000])


def test_a_connection_that_ends_says_where() -> None:
    parser = Parser()
    with pytest.raises(CutShort, match=r"closed without a response$"):
        parser.close()
    parser.feed(b"HTTP/1.1 200 OK\r\n")
    with pytest.raises(CutShort, match="in mid-response"):
        parser.close()
