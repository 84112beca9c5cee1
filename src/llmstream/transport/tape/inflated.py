"""Decompresses bodies that were recorded compressed."""

from __future__ import annotations

from typing import Final

from llmstream.errors import LLMStreamError
from llmstream.transport.tape.entries import Attempt
from llmstream.wire.inflate import Inflater

BEGINNINGS: Final = (b"\x1f\x8b", b"\x78")
"""First bytes of gzip and zlib data; any other body was recorded decompressed, whatever its headers say."""


def inflate(attempt: Attempt) -> None:
    """Decompress an attempt's reads if they are compressed; damaged data becomes the attempt's error."""
    encoding = attempt.head.headers.get("content-encoding", "") if attempt.head else ""
    if not encoding or not attempt.reads or not attempt.reads[0][1].startswith(BEGINNINGS):
        return
    try:
        inflater = Inflater(encoding)
        attempt.reads = [(t, piece) for t, data in attempt.reads for piece in inflater.feed(data)]
    except LLMStreamError as error:
        attempt.reads, attempt.error, attempt.ended = [], error, True
