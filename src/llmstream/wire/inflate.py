"""Decompress a response body (Content-Encoding) as it arrives, in pieces of limited size.

httpx decompresses each read completely: 64 KiB may become 64 MiB of text.  Here a piece is at most
256 KiB, and the caller may stop after any piece.  Data that the server flushed is returned with the
read that contains it, so each event is shown when it arrives.

Brotli and Zstandard are not offered to servers, because they need additional packages.

Source: RFC 9110, section 8.4.1 (codings, and ``deflate`` wrongly sent without its zlib
wrapper); RFC 1950, section 2.2 (the wrapper's header); RFC 1952, section 2.2 (several members).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from llmstream.errors import BadMessage, StreamEndedEarly

ACCEPT_ENCODING: Final = "gzip, deflate"
"""Value of a request's Accept-Encoding header."""

_PIECE: Final = 256 * 1024

# zlib copies its unused input with each piece of output, so the input is kept short.
_STEP: Final = 16 * 1024

# Each layer can multiply its input by a thousand, and the deadline is checked only when the last layer
# returns data: between two checks, two layers can produce 64 MiB, three would produce 64 GiB.
_LAYERS: Final = 2

# Empty members take 20 bytes each and produce no output, so a server could cause endless work.
_EMPTY_MEMBERS: Final = 100_000

_KNOWN: Final = ("br", "zstd", "compress", "x-compress", "zlib", "lzma", "xz", "bzip2", "lz4", "snappy")
"""Compressions that we don't offer; any other word, such as a charset or "none", means no compression."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS


class Inflater:
    """Decompresses a body.

    Args:
        encoding: the Content-Encoding header: ``gzip``, ``x-gzip``, ``deflate``, two of them separated
            by a comma in the order applied, or a word that does not name a compression.

    Raises:
        BadMessage: a compression is not supported, or there are more than two.
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
        """Yield one read's bytes decompressed, in non-empty pieces of at most 256 KiB.

        Consume all pieces before the next `feed`.  Data without a known compression is yielded unchanged.

        Args:
            data: any length; may be cut anywhere.

        Raises:
            BadMessage: the compressed data is damaged.
        """
        return _through(self._layers, data)

    def close(self) -> None:
        """End the body.

        Raises:
            StreamEndedEarly: the body ended inside the compressed data.
        """
        if not all(layer.complete for layer in self._layers):
            raise StreamEndedEarly("the compressed answer is cut off", phase="stream")


def _through(layers: list[_Layer], data: bytes) -> Iterator[bytes]:
    """Yield `data` decompressed by all `layers`; lazily, so that only one piece per layer exists."""
    if not layers:
        if data:
            yield data
        return
    for piece in layers[0].feed(data):
        yield from _through(layers[1:], piece)


class _Layer:
    """One of the encodings applied to a body; a subclass defines how a compressed stream starts.

    `complete`: whether the body may end here: no data has arrived, or a compressed stream has just ended.
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
            # After a full piece, zlib may have more output even if all input is used.
            if not data and (ended or len(piece) < _PIECE):
                return

    def _begin(self, data: bytes) -> bytes:
        """Start a compressed stream, or wait for more data; return the bytes to decompress."""
        raise NotImplementedError


class _Gzip(_Layer):
    """gzip: one or more members, with zero bytes allowed after each of them, as in tape padding."""

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
        # RFC 1950, section 2.2: the method is 8, and the first two bytes are a multiple of 31.
        wrapped = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
        self._engine = zlib.decompressobj(_ZLIB if wrapped else _RAW)
        return data
