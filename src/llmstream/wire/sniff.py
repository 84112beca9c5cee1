"""Choose the decoder that a response needs, which isn't always the requested one.

A server that doesn't stream sends a single JSON document for a streaming request; DeepSeek sends its
refusals as application/octet-stream; a proxy or a captive portal sends a web page with status 200.
If the Content-Type doesn't decide, the body's first byte that is not white space does.

Source: RFC 9110, section 8.3 (Content-Type); RFC 6839, section 3.1 (``+json``).
"""

from __future__ import annotations

import re
from typing import Final

from llmstream.errors import BadMessage, UsageError
from llmstream.wire.message import MESSAGE_LIMIT, Decoder, WireMessage

_STREAM_TYPES: Final = {
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonl": "ndjson",
    "application/jsonlines": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/stream+json": "ndjson",
    "application/vnd.amazon.eventstream": "aws",
}
_FRAMINGS: Final = ("sse", "ndjson", "aws", "json-array", "whole")

# In these framings, the body may start with a document and continue after it.
_JSON_FRAMINGS: Final = ("ndjson", "json-array")

# Servers that can only stream send events for these, too.
_EVENTLESS: Final = ("ndjson", "whole")

_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"

# How an event stream begins, with or without a name; the longest name has five letters.
_EVENTS: Final = re.compile(rb"(data|event|id|retry)?:")
_LONGEST_NAME: Final = 6

# Room for empty lines as keep-alives before a document: one per second for two hours.
_BLANKS_LIMIT: Final = 8 * 1024

# A page's title is near its start.
_PAGE_LIMIT: Final = 8 * 1024
_TITLE: Final = re.compile(r"<title[^>]*>([^<]*)<", re.IGNORECASE)


def choose(framing: str, content_type: str, limit: int = MESSAGE_LIMIT) -> Decoder:
    """Return the decoder for a body, chosen by its Content-Type and its first byte.

    Args:
        framing: what the request expects: ``sse``, ``ndjson``, ``aws``, ``json-array`` or ``whole``.
        content_type: the response's Content-Type, with parameters; empty for none.
        limit: largest message in bytes.

    Raises:
        UsageError: the framing is unknown.
    """
    if framing not in _FRAMINGS:
        raise UsageError(f"unknown framing {framing!r}; choose from {', '.join(_FRAMINGS)}, text")
    media_type = content_type.partition(";")[0].strip().lower()
    declared = _STREAM_TYPES.get(media_type)
    if declared == "aws":
        return build(declared, limit)
    return Sniffer(declared or framing, media_type, limit)


def build(framing: str, limit: int = MESSAGE_LIMIT) -> Decoder:
    """Return the decoder for `framing`, importing only its module."""
    match framing:
        case "sse":
            from llmstream.wire.sse import SSEDecoder

            return SSEDecoder(limit)
        case "ndjson":
            from llmstream.wire.ndjson import NDJSONDecoder

            return NDJSONDecoder(limit)
        case "aws":
            from llmstream.wire.aws_eventstream import AWSEventStreamDecoder

            return AWSEventStreamDecoder(limit)
        case "json-array":
            from llmstream.wire.json_array import JSONArrayDecoder

            return JSONArrayDecoder(limit)
        case _:
            from llmstream.wire.whole import WholeDecoder

            return WholeDecoder(limit)


class Sniffer:
    """Holds a body's leading white space, then passes everything to the matching decoder.

    Args:
        framing: the one that the Content-Type names, or else the requested one.
        media_type: lower case, without parameters.
        limit: largest message in bytes.
    """

    def __init__(self, framing: str, media_type: str, limit: int = MESSAGE_LIMIT) -> None:
        self._framing = framing
        self._media_type = media_type
        self._limit = limit
        self._is_json = media_type == "application/json" or media_type.endswith("+json")
        # The SSE decoder handles documents itself, because there may be events before and after one.
        self._keeps_documents = framing in _JSON_FRAMINGS or media_type == "text/event-stream"
        self._held = b""
        self._decoder: Decoder | None = None

    def feed(self, data: bytes) -> list[WireMessage]:
        """Take one read's bytes and return the messages they complete.

        Args:
            data: any length; may cut a character or a line anywhere.

        Raises:
            BadMessage: the body is a web page, or as for the matching decoder.
        """
        if self._decoder is not None:
            return self._decoder.feed(data)
        held = self._held + data
        content = held.removeprefix(_BOM).lstrip(_BLANK)
        undecided = not content or _BOM.startswith(held) or self._may_name_events(content)
        if undecided and len(held) <= _BLANKS_LIMIT:
            self._held = held
            return []
        return self._begun(held, content)

    def _begun(self, held: bytes, content: bytes) -> list[WireMessage]:
        self._held = b""
        self._decoder = self._fitting(content)
        # saves one call for each later read
        self.feed = self._decoder.feed  # type: ignore[method-assign]
        return self._decoder.feed(held)

    def _may_name_events(self, content: bytes) -> bool:
        """Return whether more is needed to tell whether a body is an event stream."""
        short = self._framing in _EVENTLESS and content.isalpha() and len(content) < _LONGEST_NAME
        return short and any(name.startswith(content) for name in (b"data", b"event", b"id", b"retry"))

    def _fitting(self, content: bytes) -> Decoder:
        """Return the decoder for a body by its start after white space, empty if not found."""
        first = content[:1]
        if self._framing in _EVENTLESS and _EVENTS.match(content):
            return build("sse", self._limit)
        if first == b"<" or self._media_type == "text/html":
            return _WebPage(self._media_type)
        if first == b"[" and self._framing == "sse" and not self._keeps_documents:
            # Gemini's stream if a proxy drops `alt=sse`; its elements arrive one by one
            return build("json-array", self._limit)
        document = first in (b"{", b"[") or (not first and self._is_json)
        return build("whole" if document and not self._keeps_documents else self._framing, self._limit)

    def close(self) -> list[WireMessage]:
        """End the body and return the messages that this completes; none for an empty body.

        Raises:
            BadMessage: as for the matching decoder, or the body is a web page.
            StreamEndedEarly: as for the matching decoder.
        """
        messages: list[WireMessage] = []
        if self._decoder is None and (content := self._held.removeprefix(_BOM).lstrip(_BLANK)):
            messages = self._begun(self._held, content)
        return messages if self._decoder is None else messages + self._decoder.close()

    @property
    def leftover(self) -> WireMessage | None:
        """The last event of a stream that had no blank line after it, None for none."""
        found = getattr(self._decoder, "leftover", None)
        return found if isinstance(found, WireMessage) else None

    @property
    def stray(self) -> str:
        """The first line of a stream that is not part of an event, empty for none."""
        return str(getattr(self._decoder, "stray", ""))


def refuse_page(body: bytes, content_type: str) -> None:
    """Check that a complete body is not a web page.

    Args:
        body: the complete body.
        content_type: the header, empty for none.

    Raises:
        BadMessage: the body is a web page; its title is quoted.
    """
    if body.removeprefix(_BOM).lstrip(_BLANK).startswith(b"<"):
        page = _WebPage(content_type.partition(";")[0].strip().lower())
        page.feed(body)
        page.close()


class _WebPage:
    """Reads a web page up to its title and raises an error that quotes the title."""

    def __init__(self, media_type: str) -> None:
        self._media_type = media_type
        self._held = b""

    def feed(self, data: bytes) -> list[WireMessage]:
        self._held += data[:_PAGE_LIMIT]
        if len(self._held) >= _PAGE_LIMIT or b"</title" in self._held.lower():
            raise self._refusal()
        return []

    def close(self) -> list[WireMessage]:
        raise self._refusal()

    def _refusal(self) -> BadMessage:
        from llmstream.wire.document import quoting

        found = _TITLE.search(self._held.decode("utf-8", "replace"))
        kind = f" ({self._media_type})" if self._media_type else ""
        error = BadMessage(
            f"the answer is a web page{kind}, not an API's answer",
            hint="check base_url, and check for a proxy or login page in the way",
            phase="stream",
        )
        return quoting(error, " ".join(found[1].split()) if found else "")
