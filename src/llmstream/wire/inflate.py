"""Decompresses a body as it arrives (Content-Encoding), in pieces of bounded size.

httpx decompresses each read at once: a read of 64 KiB may become 64 MiB of text.  Here a piece is at
most 256 KiB, and the caller may stop after any.  Data that a server flushes is returned with the read
that contains it, so each event is shown when it arrives.

Brotli and Zstandard need packages that we don't require, and are not offered to servers.

Source: RFC 9110, section 8.4.1 (codings, and ``deflate`` that is wrongly sent without its zlib
wrapper); RFC 1950, section 2.2 (the wrapper's header); RFC 1952, section 2.2 (several members).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from llmstream.errors import BadMessage, StreamEndedEarly

ACCEPT_ENCODING: Final = "gzip, deflate"
"""What a request may offer, for its Accept-Encoding header."""

_PIECE: Final = 256 * 1024

# zlib copies the input it hasn't used with each piece it gives: from a short input that is little.
_STEP: Final = 16 * 1024

# Each layer multiplies by up to a thousand, and only what comes out of the last one is seen by those who
# look at the clock: two layers make 64 MiB between two looks, three would make 64 GiB.
_LAYERS: Final = 2

# Empty members, one after the other, take 20 bytes each and could cause endless work.
_EMPTY_MEMBERS: Final = 100_000

_KNOWN: Final = ("br", "zstd", "compress", "x-compress", "zlib", "lzma", "xz", "bzip2", "lz4", "snappy")
"""Compressions that weren't offered; any other word, such as a charset or "none", means no compression."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS


class Inflater:
    """Decompresses a body.

    Args:
        encoding: the Content-Encoding header: ``gzip``, ``x-gzip``, ``deflate``, two of them with a
            comma in the order they were applied, or a word that names no compression.

    Raises:
        BadMessage: an encoding is an unsupported compression, or there are too many.
    """

    def __init__(self, encoding: str) -> None:
        named = [name.strip() for name in encoding.lower().split(",")]
        for name in named:
            if name in _KNOWN:
                raise BadMessage(
                    f"the server compressed the answer with {name}, which llmstream doesn't accept",
                    phase="stream",
                )
        names = [name for name in named if name in ("gzip", "x-gzip", "deflate")]
        if len(names) > _LAYERS:
            raise BadMessage(
                f"the server compressed the answer {len(names)} times; {_LAYERS} is the limit", phase="stream"
            )
        self._layers: list[_Layer] = [
            _Deflate() if name == "deflate" else _Gzip() for name in reversed(names)
        ]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what one read's bytes inflate to, in pieces of at most 256 KiB, none of them empty.

        Take all pieces before the next `feed`.

        Args:
            data: any length; may be cut anywhere.

        Raises:
            BadMessage: the compressed data is damaged.
        """
        return _through(self._layers, data)

    def close(self) -> None:
        """Take the end of the body.

        Raises:
            StreamEndedEarly: the body ended inside the compressed data.
        """
        if not all(layer.complete for layer in self._layers):
            raise StreamEndedEarly("the compressed answer is cut off", phase="stream")


def _through(layers: list[_Layer], data: bytes) -> Iterator[bytes]:
    """Yield what `data` is behind all `layers`; lazily, so that only one piece a layer exists."""
    if not layers:
        if data:
            yield data
        return
    for piece in layers[0].feed(data):
        yield from _through(layers[1:], piece)


class _Layer:
    """One encoding of the stack; a subclass defines how a compressed stream starts.

    `complete`: the body may end here: nothing has arrived, or a compressed stream has just ended.
    """

    def __init__(self) -> None:
        self.complete = True
        self._empty = 0
        self._engine: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _STEP):
            yield from self._inflate(data[start : start + _STEP])

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._engine is None:
                data = self._begin(data)
            if self._engine is None:
                return
            try:
                piece = self._engine.decompress(data, _PIECE)
            except zlib.error as error:
                raise BadMessage(f"the compressed answer is damaged ({error})", phase="stream") from error
            ended = self._engine.eof
            data = self._engine.unused_data if ended else self._engine.unconsumed_tail
            if ended:
                self._engine = None
                self.complete = True
            if piece:
                self._empty = 0
                yield piece
            elif ended:
                self._empty += 1
                if self._empty > _EMPTY_MEMBERS:
                    raise BadMessage("the compressed answer contains too many empty parts", phase="stream")
            # A full piece may have more behind it even when all input is used.
            if not data and (ended or len(piece) < _PIECE):
                return

    def _begin(self, data: bytes) -> bytes:
        """Start a compressed stream, or wait for more; return the bytes to continue with."""
        raise NotImplementedError


class _Gzip(_Layer):
    """gzip: members one after the other, and zeros after the last, as on tapes."""

    def __init__(self) -> None:
        super().__init__()
        self._members = 0

    def _begin(self, data: bytes) -> bytes:
        if self._members:
            data = data.lstrip(b"\0")
        if data:
            self._members += 1
            self._engine = zlib.decompressobj(_GZIP)
            self.complete = False
        return data


class _Deflate(_Layer):
    """deflate: with the zlib wrapper, as specified, or raw, as some servers send it."""

    def __init__(self) -> None:
        super().__init__()
        self._head = b""
        self._ended = False

    def _begin(self, data: bytes) -> bytes:
        if not data:
            return data
        if self._ended:
            raise BadMessage("unexpected data after the end of the compressed answer", phase="stream")
        self._head += data
        self.complete = False
        if len(self._head) < 2:
            return b""
        data, self._head = self._head, b""
        self._ended = True
        # RFC 1950, section 2.2: method 8, and the first two bytes are a multiple of 31.
        wrapped = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
        self._engine = zlib.decompressobj(_ZLIB if wrapped else _RAW)
        return data
