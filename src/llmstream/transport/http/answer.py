"""A response being read: a connection, a parser and a decompressor; nothing here waits.

Our own instead of httpx to save CPU: 195 µs per answer against 595, 7.6 µs per token against 15.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmstream.engine.effects import Head
from llmstream.transport.http.parser import Parser
from llmstream.transport.http.pool import Link
from llmstream.wire.inflate import Inflater


class Answer:
    """One response on one connection.

    Args:
        link: the connection.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self.parser = Parser()
        self._channel = link.channel
        self._inflater: Inflater | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._first = b""

    @property
    def headed(self) -> bool:
        """Whether the head has arrived; heads of 1xx responses don't count."""
        return self.parser.status >= 200

    @property
    def head(self) -> Head:
        """Status and headers."""
        return Head(self.parser.status, self.parser.headers)

    def pull_head(self) -> bool:
        """Read what has arrived, and return False if nothing has.

        Raises:
            OSError: the connection broke.
            NotHttp: the data is not HTTP, or the connection was closed.
        """
        data = self._channel.receive()
        if data is None:
            return False
        if data:
            self._first = self.parser.feed(data)
        else:
            self.parser.close()
        return True

    def begin(self) -> None:
        """Start reading the body.

        Raises:
            BadMessage: the body is compressed in an unsupported way.
        """
        encoding = self.parser.headers.get("content-encoding", "")
        if encoding:
            self._inflater = Inflater(encoding)

    def held(self) -> bytes | None:
        """Return body data that was read already, ``b""`` at the body's end, None if there is none.

        Raises:
            NotHttp: the data is not HTTP.
            StreamError: the compressed data is damaged or cut short.
        """
        if self._inflater is not None:
            for piece in self._pieces:
                return piece
        if self._first:
            data, self._first = self._first, b""
            return self._inflated(data) if self._inflater is not None else data
        parser = self.parser
        if parser.complete:
            if self._inflater is not None:
                self._inflater.close()
            return b""
        if parser.failure is not None:
            raise parser.failure
        return None

    @property
    def unfolds(self) -> bool:
        """Whether the body is compressed."""
        return self._inflater is not None

    @property
    def buffered(self) -> bool:
        """Whether `pull` may return data although the socket has nothing new."""
        return self._channel.buffered

    def pull(self) -> bytes | None:
        """Read what has arrived and return the body data in it, ``b""`` at its end, None if there is none.

        Raises:
            OSError: the connection broke.
            NotHttp: the data is not HTTP, or the connection was closed too early.
            StreamError: the compressed data is damaged or cut short.
        """
        while True:
            data = self._channel.receive()
            if data is None:
                return None
            found = self._taken(data)
            if found is not None or not self._channel.buffered:
                return found

    def _taken(self, data: bytes) -> bytes | None:
        if not data:
            self.parser.close()
            return self.held()
        body = self.parser.feed(data)
        if not body:
            return self.held() if self.parser.complete else None
        return body if self._inflater is None else self._inflated(body)

    def _inflated(self, data: bytes) -> bytes | None:
        assert self._inflater is not None
        self._pieces = self._inflater.feed(data)
        return self.held()

    @property
    def whole(self) -> bool:
        """Whether the body has ended and another request may follow on the connection."""
        return self.parser.complete and self.parser.reusable

    def drained(self) -> bool:
        """Read what has arrived of the body's last bytes, and return whether the connection can be kept.

        Raises:
            OSError: the connection broke.
            NotHttp: the data is not HTTP.
        """
        parser = self.parser
        if not parser.complete and parser.reusable:
            data = self._channel.receive()
            if data:
                parser.feed(data)
        return self.whole
