"""Newline-delimited JSON, the framing of Ollama's API.

Each line is one JSON text, which the adapter parses.  Only a last line without LF is parsed here,
because there is no other way to tell a complete line from a truncated one.

Source: ndjson-spec, "2.2 Parsing" and "2.4 Ignoring empty lines"; Ollama, docs/api.md, "Streaming
responses".  White space: RFC 8259, section 2.
"""

from __future__ import annotations

from llmstream.errors import BadMessage, StreamEndedEarly
from llmstream.wire.lines import Lines
from llmstream.wire.message import MESSAGE_LIMIT, WireMessage

_BLANK = " \t\r"
_new = tuple.__new__


class NDJSONDecoder:
    """Decodes ``application/x-ndjson``.

    Args:
        limit: longest line in bytes.
    """

    def __init__(self, limit: int = MESSAGE_LIMIT) -> None:
        self._lines = Lines(limit)

    def feed(self, data: bytes) -> list[WireMessage]:
        """Take one read's bytes and return the lines they complete, without surrounding white space.

        Args:
            data: any length; may cut a line or a UTF-8 character anywhere.

        Raises:
            BadMessage: a line is longer than the limit.
        """
        lines = self._lines.take(data).split("\n")
        return [_new(WireMessage, ("", text, "")) for line in lines if (text := line.strip(_BLANK))]

    def close(self) -> list[WireMessage]:
        """End the body and return its last line if that has no LF.

        Raises:
            StreamEndedEarly: the last line is not a complete JSON text.
            BadMessage: `feed` found a fault after good lines.
        """
        from llmstream.wire.document import parse

        line = self._lines.rest().strip(_BLANK)
        if not line:
            return []
        try:
            parse(line, lenient=True)
        except BadMessage as error:
            raise StreamEndedEarly("the answer ends inside a line of JSON", phase="stream") from error
        return [WireMessage("", line)]
