"""Split a response body into wire messages; their meaning is left to the adapters.

This package does no I/O and knows no provider.  Each decoder is fed the bytes of one read at a time
and returns the messages they complete, so the same code serves threads and event loops, and a test
can cut a body anywhere.  Importing this package imports none of the decoders.

Rules for all decoders:

- They take time linear in the length of the body, however it is cut, and hold at most one message
  of about ``limit`` bytes.
- If a read contains good messages and then a fault, the messages are returned and the next ``feed``
  or ``close`` raises.
- Once a decoder has raised, it raises the same error again.
"""

from __future__ import annotations

from typing import Final

from llmstream.wire.message import MESSAGE_LIMIT, Decoder, WireMessage

__all__ = ["MESSAGE_LIMIT", "Decoder", "WireMessage", "decoder", "prepare"]


_PREPARED: Final[set[str]] = set()


def decoder(framing: str, content_type: str, limit: int = MESSAGE_LIMIT) -> Decoder:
    """Return the decoder for one response body.

    Args:
        framing: what the request expects: ``sse``, ``ndjson``, ``aws``, ``json-array``,
            ``text`` or ``whole``.
        content_type: the response's Content-Type, empty for none.  If it, or the body's first
            byte, contradicts `framing`, the response decides, except for ``text``.
        limit: largest message in bytes.

    Raises:
        UsageError: the framing is unknown.
    """
    if framing == "text":
        # A command's output is text, even if it starts like JSON or HTML.
        from llmstream.wire.text import TextDecoder

        return TextDecoder()
    from llmstream.wire.sniff import choose

    return choose(framing, content_type, limit)


def prepare(framing: str) -> None:
    """Import the decoder for a response while waiting for the server.

    Args:
        framing: as for `decoder`.
    """
    if framing != "text" and framing not in _PREPARED:
        from llmstream.wire.sniff import build

        build(framing)
        _PREPARED.add(framing)
