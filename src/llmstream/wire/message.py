"""One message of a wire protocol, and the interface of every decoder of bytes into messages."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

MESSAGE_LIMIT: Final = 32 * 1024 * 1024
"""Largest message that any decoder holds, in bytes; more raises BadMessage.

A message is in memory several times over, as bytes, as text and as values, and a text of one emoji takes
four bytes a character: so that all of it stays below 600 MB.
"""


class WireMessage(NamedTuple):
    """One message as it was framed.

    Args:
        event: its name: SSE's ``event`` field (``message`` when none was given), an AWS frame's
            ``:event-type``; empty in framings that have none.
        data: its text, usually JSON.
        id: SSE's last event id; empty elsewhere.
    """

    event: str
    data: str
    id: str = ""


class Decoder(Protocol):
    """Takes a body's bytes as they arrive and returns the messages that they complete."""

    def feed(self, data: bytes) -> list[WireMessage]:
        """Take one read's bytes and return the messages they complete.

        Args:
            data: any length; may cut a line, a CRLF pair or a UTF-8 character anywhere.

        Raises:
            BadMessage: the bytes break the framing, or a message is larger than the limit.
        """
        ...

    def close(self) -> list[WireMessage]:
        """Take the end of the body and return the messages that it completes.

        Raises:
            BadMessage: what is left can't be a message.
            StreamEndedEarly: the body stops inside a message, in a framing where that shows.
        """
        ...
