"""From a body's bytes to wire messages: framing, and nothing that any one API means by it.

This floor does no I/O and knows no provider.  Each decoder takes bytes as a read brings them
and returns the messages that they complete, so one code serves threads and event loops, and a
test can cut a body wherever it likes.  Importing this package imports none of the decoders.

What all decoders keep to:

- They take time linear in the body, however it is cut, and hold at most one message of
  ``limit`` bytes.
- A fault that comes behind good messages in one read doesn't take those with it: the messages
  are returned, and the next ``feed`` or ``close`` raises.
- Once one has raised, it raises the same error again.
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
            body's first byte, contradicts the expectation, the answer is believed.
        limit: largest message in bytes.

    Raises:
        UsageError: there is no such framing.
    """
    if framing == "text":
        # A command's output is text whatever it begins with.
        from llmstream.wire.text import TextDecoder

        return TextDecoder()
    from llmstream.wire.sniff import choose

    return choose(framing, content_type, limit)


def prepare(framing: str) -> None:
    """Load what decodes an answer, in the time that a server needs to begin with one.

    Args:
        framing: as for `decoder`.
    """
    if framing != "text" and framing not in _PREPARED:
        from llmstream.wire.sniff import build

        build(framing)
        _PREPARED.add(framing)
