"""Plain text, as a command of the `exec` adapter writes it to its standard output.

It has no message boundaries, so each read's text is one message.
"""

from __future__ import annotations

import codecs

from llmstream.wire.message import WireMessage


class TextDecoder:
    """Decodes UTF-8 text; invalid bytes are replaced by U+FFFD.

    It holds at most the three bytes of an incomplete character and so needs no limit.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> list[WireMessage]:
        """Take one read's bytes and return their text, without an incomplete character at the end.

        Args:
            data: any length; may cut a UTF-8 character anywhere.
        """
        text = self._decoder.decode(data)
        return [WireMessage("", text)] if text else []

    def close(self) -> list[WireMessage]:
        """End the text and return a message named ``end``, even if it is empty.

        Its data is one U+FFFD if the text ended inside a character.
        """
        return [WireMessage("end", self._decoder.decode(b"", final=True))]
