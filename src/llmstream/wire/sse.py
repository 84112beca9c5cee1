"""Server-sent events, the framing of most streaming APIs.

This is the hot path: one network read usually contains a dozen or more complete events.  They are
decoded as one block.  The common form, only ``data: {json}`` lines each followed by a blank line, is
split by a single `str.split`; all other forms take the loop over lines.

Source: WHATWG HTML, "9.2.5 Parsing an event stream" and "9.2.6 Interpreting an event stream".

Two extensions: a line that starts with ``{`` or ``[`` would be a field with a meaningless name, which
the standard ignores.  Gemini reports a failure in mid-stream that way, as bare pretty-printed
JSON, and servers answer with a JSON error under this content type.  Such a document is returned as
a message named ``bare``.  And because some servers leave out the blank lines, a line of data that ends
with ``}`` ends its event if the next one starts with ``{`` or is ``[DONE]``: no JSON document can
contain both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmstream.wire.lines import Lines, too_large
from llmstream.wire.message import MESSAGE_LIMIT, WireMessage

if TYPE_CHECKING:
    from llmstream.wire.nesting import Nesting

BARE: Final = "bare"
"""Event name of a JSON document that appears in the stream without ``data:``."""

TOGETHER: Final = 1024
"""Number of lines of an event joined into one, because a short string takes about ten times its length
in memory."""
FIELD: Final = len("data: ")
STRAY: Final = 64 * 1024
"""Limit on the characters kept of a stray line."""

# Takes half the time of WireMessage(...), for each token.
_new = tuple.__new__

# A longer value is not a sensible time, and int() refuses thousands of digits.
_RETRY_DIGITS: Final = 15


class SSEDecoder:
    """Decodes ``text/event-stream``.

    Args:
        limit: longest line in bytes, and largest event in characters.

    `retry`: the reconnection time in milliseconds, None if the stream did not set it.
    `last_id`: the last event id, empty if there was none.
    `stray`: the first line that is not a field of an event, such as a plain-text error message.
    `leftover`: set by `close`: the event dropped because no blank line followed it; None if the body
    ended between events.
    """

    def __init__(self, limit: int = MESSAGE_LIMIT) -> None:
        self.retry: int | None = None
        self.last_id = ""
        self.leftover: WireMessage | None = None
        self._limit = limit
        self._lines = Lines(limit)
        self._after_cr = False
        self.stray = ""
        self._data: list[str] = []
        self._event = ""
        self._size = 0
        self._bare: list[str] = []
        self._nesting: Nesting | None = None
        self._between = False

    def feed(self, data: bytes) -> list[WireMessage]:
        """Take one read's bytes and return the events they complete.

        Args:
            data: any length; may cut a line, a CRLF pair or a UTF-8 character anywhere.

        Raises:
            BadMessage: a line or an event is larger than the limit.

        Source: WHATWG HTML, "9.2.6 Interpreting an event stream".
        """
        # exactly one event: the usual read if the model is slower than the network
        whole = self._between and data.endswith(b"\n\n") and data.startswith(b"data: ")
        if whole and len(data) <= self._limit:
            text = data[6:-2].decode("utf-8", "replace")
            if "\n" not in text and "\r" not in text:
                return [_new(WireMessage, ("message", text, self.last_id))]
        messages = self._fed(data)
        self._between = not (self._data or self._event or self._bare or self._after_cr) and self._lines.idle
        return messages

    def _fed(self, data: bytes) -> list[WireMessage]:
        if self._after_cr or b"\r" in data:
            data = self._without_cr(data)
        text = self._lines.take(data)
        if not text:
            return []
        inside = self._data or self._event or self._bare
        if not inside and text.startswith("data: ") and text.endswith("\n\n"):
            last_id = self.last_id
            parts = text[6:-2].split("\n\ndata: ")
            # With two line ends for each part, no part contains one.
            if text.count("\n") == 2 * len(parts):
                return [_new(WireMessage, ("message", part, last_id)) for part in parts]
        return self._interpret(text)

    def _without_cr(self, data: bytes) -> bytes:
        """Return `data` with every line end as LF.

        A CR at its end ends the line at once, because the next read may be minutes away; an LF at the
        start of that read is then dropped.
        """
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def _interpret(self, text: str) -> list[WireMessage]:
        """Return the events of `text`, which consists of complete lines, by the rules of the standard."""
        messages: list[WireMessage] = []
        lines = text.split("\n")
        lines.pop()
        for line in lines:
            if self._bare:
                self._add_bare(line, messages)
            elif not line:
                self._dispatch(messages)
            elif line.startswith("data:"):
                value = line[6:] if line.startswith("data: ") else line[5:]
                if self._data and _ended(self._data[-1], value):
                    self._dispatch(messages)
                self._add(value)
            elif line.startswith("event: "):
                self._event = line[7:]
            elif line[0] in "{[":
                self._add_bare(line, messages)
            else:
                self._field(line)
            if self._size > self._limit:
                error = self._lines.fail(too_large(self._limit))
                if not messages:
                    raise error
                break
        return messages

    def _dispatch(self, messages: list[WireMessage]) -> None:
        """End an event; without data, nothing is added and the event's name is discarded."""
        data = self._data
        if data:
            text = data[0] if len(data) == 1 else "\n".join(data)
            messages.append(_new(WireMessage, (self._event or "message", text, self.last_id)))
            self._data = []
        self._event = ""
        self._size = 0

    def _add(self, value: str) -> None:
        """Add a line of an event's data."""
        self._data.append(value)
        self._size += len(value) + FIELD
        if len(self._data) >= TOGETHER:
            self._data[:] = ["\n".join(self._data)]

    def _field(self, line: str) -> None:
        """Handle a field line of any form; comments and unknown fields are ignored.

        The first line that does not look like a field is kept in `stray`.
        """
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._add(value)
        elif name == "error" and value:
            # llama.cpp's server of 2025 reported failures in a field of this name
            self._event = name
            self._add(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and len(value) <= _RETRY_DIGITS and value.isascii() and value.isdigit():
            self.retry = int(value)
        elif name and not self.stray and name not in ("id", "retry") and (" " in name or not colon):
            self.stray = line[:STRAY]

    def _add_bare(self, line: str, messages: list[WireMessage]) -> None:
        """Add a line to the bare document, which ends when its brackets are balanced."""
        if self._nesting is None:
            # Imported here, because its patterns take 0.7 ms to compile and few streams need them.
            from llmstream.wire.nesting import Nesting

            self._nesting = Nesting()
        self._bare.append(line)
        if len(self._bare) >= TOGETHER:
            self._bare[:] = ["\n".join(self._bare)]
        self._size += len(line) + 1
        if self._nesting.end(line + "\n") >= 0:
            self._end_bare(messages)

    def _end_bare(self, messages: list[WireMessage]) -> None:
        messages.append(WireMessage(BARE, "\n".join(self._bare), self.last_id))
        self._bare = []
        self._nesting = None
        self._size = 0

    def close(self) -> list[WireMessage]:
        """End the body and return an open bare document, complete or not.

        An event without a blank line after it is dropped, as the standard requires, and kept in `leftover`.

        Raises:
            BadMessage: `feed` found a fault after good events.
        """
        messages: list[WireMessage] = []
        rest = self._lines.rest()
        if self._bare or rest.startswith(("{", "[")):
            if rest:
                self._bare.append(rest)
            self._end_bare(messages)
        elif rest:
            self._field(rest)
        dropped: list[WireMessage] = []
        self._dispatch(dropped)
        self.leftover = dropped[0] if dropped else None
        return messages


def _ended(before: str, value: str) -> bool:
    """Return whether a data line starts a new event although no blank line ended the previous one."""
    return before.endswith("}") and (value.startswith("{") or value == "[DONE]")
