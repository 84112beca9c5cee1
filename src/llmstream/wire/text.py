"""Plain text, as a command of the `exec` adapter writes it to its standard output.

It has no message boundaries, so each read's text is one message.
"""

from __future__ import annotations

import codecs

from llmstream.wire.message import WireMessage


class TextDecoder:
    """Decodes UTF-8 text; a byte that is not UTF-8 becomes U+FFFD.

    Holds at most the three bytes of an unfinished character, hence has no limit.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> list[WireMessage]:
        """Take one read's bytes and return their text, but for a character that is not complete.

        Args:
            data: any length; may cut a UTF-8 character anywhere.
        """
        text = self._decoder.decode(data)
        return [WireMessage("", text)] if text else []

    def close(self) -> list[WireMessage]:
        """Take the end of the text and return a message named ``end``, also when it is empty.

        A character that was never completed is one U+FFFD.
        """
        return [WireMessage("end", self._decoder.decode(b"", final=True))]
