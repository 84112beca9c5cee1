"""Content encodings: all that is sent comes out, at once, and never too much of it."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib

import pytest

from llmstream.errors import BadMessage, StreamEndedEarly
from llmstream.wire.inflate import Inflater

from .loader import all_cuts

TEXT = b"data: sparkling water\n\n" * 9


def raw(data: bytes) -> bytes:
    """Return `data` deflated without the zlib wrapper."""
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


def inflate(encoding: str, reads: list[bytes]) -> bytes:
    """Return all that `reads` hold, with the end of the body taken."""
    inflater = Inflater(encoding)
    data = b"".join(piece for read in reads for piece in inflater.feed(read))
    inflater.close()
    return data


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("X-GZip", gzip.compress(TEXT, mtime=0)),
        (
            "gzip",
            gzip.compress(TEXT[:20], mtime=0)
            + gzip.compress(b"", mtime=0)
            + gzip.compress(TEXT[20:], mtime=0),
        ),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"\0" * 20),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw(TEXT)),
        ("gzip, deflate", zlib.compress(gzip.compress(TEXT, mtime=0))),
        ("deflate,identity,gzip", gzip.compress(raw(TEXT), mtime=0)),
    ],
)
def test_body_is_the_same_however_it_is_cut(encoding: str, data: bytes) -> None:
    for reads in all_cuts(data):
        assert inflate(encoding, reads) == TEXT


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "gzip, deflate"])
def test_empty_body_is_empty(encoding: str) -> None:
    assert inflate(encoding, []) == b""
    assert inflate(encoding, [b""]) == b""


@pytest.mark.parametrize("wbits", [31, 15, -15])
def test_flushed_event_comes_out_with_the_read_that_brought_it(wbits: int) -> None:
    engine = zlib.compressobj(wbits=wbits)
    inflater = Inflater("gzip" if wbits == 31 else "deflate")
    for number in range(5):
        event = f"data: {number}\n\n".encode()
        sent = engine.compress(event) + engine.flush(zlib.Z_SYNC_FLUSH)
        assert b"".join(inflater.feed(sent)) == event
    with pytest.raises(StreamEndedEarly):
        inflater.close()
    assert b"".join(inflater.feed(engine.flush())) == b""
    inflater.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, deflate"])
def test_cut_body_ended_early_after_giving_what_came(encoding: str) -> None:
    data = zlib.compress(gzip.compress(TEXT, mtime=0)) if "," in encoding else gzip.compress(TEXT, mtime=0)
    data = zlib.compress(TEXT) if encoding == "deflate" else data
    for length in range(1, len(data)):
        inflater = Inflater(encoding)
        assert TEXT.startswith(b"".join(inflater.feed(data[:length])))
        with pytest.raises(StreamEndedEarly):
            inflater.close()


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", TEXT),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"garbage"),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-8] + b"\1" * 8),
        ("deflate", b"\xff\xff\xff"),
        ("deflate", zlib.compress(TEXT) + b"more"),
        ("gzip, deflate", zlib.compress(TEXT)),
    ],
)
def test_damaged_data_is_a_bad_message(encoding: str, data: bytes) -> None:
    for reads in all_cuts(data):
        with pytest.raises(BadMessage):
            inflate(encoding, reads)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "compress"])
def test_encoding_that_was_not_offered_is_named(encoding: str) -> None:
    with pytest.raises(BadMessage, match=encoding.split()[-1]):
        Inflater(encoding)


def test_absurd_stack_of_encodings_is_refused() -> None:
    with pytest.raises(BadMessage, match="5 times"):
        Inflater("gzip," * 5)


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
def test_bomb_comes_in_small_pieces_that_one_may_stop_taking(encoding: str) -> None:
    engine = zlib.compressobj(9, wbits=31)
    bomb = b"".join(engine.compress(b"\0" * (1 << 20)) for _ in range(64)) + engine.flush()
    size = 64 << 20
    if "," in encoding:
        bomb = gzip.compress(bomb, mtime=0)
    tracemalloc.start()
    try:
        pieces = [len(piece) for piece in Inflater(encoding).feed(bomb)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(pieces) == size
    assert max(pieces) <= 256 * 1024
    assert peak < 4 << 20
    assert next(Inflater(encoding).feed(bomb)).count(0) == pieces[0]


def test_read_brings_all_the_output_that_it_can() -> None:
    # At a full piece zlib may hold output back though it has used all its input: some of the
    # cuts are just there.
    engine = zlib.compressobj(wbits=31)
    sent = engine.compress(b"x" * (3 * 256 * 1024)) + engine.flush()
    for length in range(len(sent)):
        wanted = len(zlib.decompressobj(wbits=31).decompress(sent[:length]))
        assert sum(len(piece) for piece in Inflater("gzip").feed(sent[:length])) == wanted


def test_many_members_in_one_read_take_linear_time() -> None:
    def seconds(members: int) -> float:
        data = gzip.compress(b"", mtime=0) * members
        began = time.thread_time()
        assert inflate("gzip", [data]) == b""
        return time.thread_time() - began

    # Ten times the members: ten times the time when linear, a hundred when not.
    assert seconds(50_000) < 40 * min(seconds(5000) for _ in range(3))
