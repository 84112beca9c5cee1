"""Cuts a body's bytes into wire messages: framing only, whatever the messages mean to an API.

This floor does no I/O and knows no provider.  Each decoder takes bytes as a read brings them
and returns the messages that they complete, so one code serves threads and event loops, and a
test can cut a body wherever it likes.  Importing this package imports none of the decoders.

Rules for all decoders:

- They take time linear in the body, however it is cut, and hold at most one message of
  ``limit`` bytes.
- When a fault follows good messages in one read, the messages are returned, and the next ``feed``
  or ``close`` raises.
- Once a decoder has raised, it raises the same error again.
"""

from __future__ import annotations

from typing import Final

from llmstream.wire.message import MESSAGE_LIMIT, Decoder, WireMessage

__all__ = ["MESSAGE_LIMIT", "Decoder", "WireMessage", "decoder", "prepare"]


_PREPARED: Final[set[str]] = set()


def decoder(framing: str, content_type: str, limit: int = MESSAGE_LIMIT) -> Decoder:
    """Return the decoder for one answer's body.

    Args:
        framing: what the request expects: ``sse``, ``ndjson``, ``aws``, ``json-array``,
            ``text`` or ``whole``.
        content_type: the answer's Content-Type, empty when it has none.  Where it, or the
            body's first byte, contradicts the expectation, the answer decides.
        limit: largest message in bytes.

    Raises:
        UsageError: the framing is unknown.
    """
    if framing == "text":
        # A command's output is text whatever it begins with.
        from llmstream.wire.text import TextDecoder

        return TextDecoder()
    from llmstream.wire.sniff import choose

    return choose(framing, content_type, limit)


def prepare(framing: str) -> None:
    """Load the decoder for an answer, while the server has not started to answer.

    Args:
        framing: as for `decoder`.
    """
    if framing != "text" and framing not in _PREPARED:
        from llmstream.wire.sniff import build

        build(framing)
        _PREPARED.add(framing)
