"""A body that is a single document: an answer without streaming, or an error with status 200."""

from __future__ import annotations

from typing import Final

from llmstream.wire.lines import too_large
from llmstream.wire.message import MESSAGE_LIMIT, WireMessage

WHOLE: Final = "whole"
"""Event name of a document that is the complete body."""


class WholeDecoder:
    """Collects the body and returns it as one message when it ends.

    Args:
        limit: largest body in bytes.
    """

    def __init__(self, limit: int = MESSAGE_LIMIT) -> None:
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> list[WireMessage]:
        """Keep one read's bytes.

        Args:
            data: any length.

        Raises:
            BadMessage: the body is larger than the limit.
        """
        if len(self._held) + len(data) > self._limit:
            # The held data is kept, so that the next read is refused as well.
            self._held += data[: self._limit + 1 - len(self._held)]
            raise too_large(self._limit)
        self._held += data
        return []

    def close(self) -> list[WireMessage]:
        """Return the document as one message, decoded from UTF-8; no message for an empty or blank body.

        Raises:
            BadMessage: the body was larger than the limit.
        """
        if len(self._held) > self._limit:
            raise too_large(self._limit)
        # utf-8-sig drops a leading byte order mark, which a JSON parser would refuse.
        text = self._held.decode("utf-8-sig", "replace")
        self._held = bytearray()
        return [WireMessage(WHOLE, text)] if text.strip() else []
