"""One message of a wire protocol, and the interface of all decoders."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

MESSAGE_LIMIT: Final = 32 * 1024 * 1024
"""Largest message that a decoder accepts, in bytes; a larger one raises BadMessage.

A message is in memory several times (as bytes, text and values), and text with a single emoji takes four
bytes per character: with this limit, the total stays below 600 MB.
"""


class WireMessage(NamedTuple):
    """One message as framed by the server.

    Args:
        event: its name: SSE's ``event`` field (``message`` by default), an AWS frame's ``:event-type``, or
            a decoder's own name: ``bare``, ``whole``, ``end``, ``exception:...``; otherwise empty.
        data: its text, usually JSON.
        id: SSE's last event id; empty elsewhere.
    """

    event: str
    data: str
    id: str = ""


class Decoder(Protocol):
    """Turns a body's bytes into messages as they arrive."""

    def feed(self, data: bytes) -> list[WireMessage]:
        """Take one read's bytes and return the messages they complete.

        Args:
            data: any length; may cut a line, a CRLF pair or a UTF-8 character anywhere.

        Raises:
            BadMessage: the bytes break the framing, or a message is larger than the limit.
        """
        ...

    def close(self) -> list[WireMessage]:
        """End the body and return the messages that this completes.

        Raises:
            BadMessage: the rest of the body is not a valid message, or `feed` found a fault after good ones.
            StreamEndedEarly: the body ends inside a message, in framings where this can be detected.
        """
        ...
