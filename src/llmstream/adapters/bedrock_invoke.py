"""Reads answers of InvokeModelWithResponseStream: the models' own dialects within AWS frames.

We request Converse, but some gateways use the older call and send its frames.

Sources: Amazon Bedrock API Reference, "InvokeModelWithResponseStream" and "PayloadPart"; User Guide,
"Inference request parameters and response fields for foundation models" (Amazon Titan Text, Anthropic
Claude, Meta Llama), read 2026-11; recorded answers.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Final

from llmstream.adapters.base import Reader
from llmstream.adapters.finish_reasons import finish
from llmstream.adapters.json_values import count_at, extras_at, reason_at, text_at
from llmstream.adapters.opening import check
from llmstream.errors import BadMessage
from llmstream.events import Event, TextDelta, Usage
from llmstream.wire.document import Document, parse_object
from llmstream.wire.message import WireMessage

TEXTS: Final = ("generation", "outputText", "completion")
"""Fields for the text: Llama, Titan, Claude before its messages API."""

REASONS: Final = ("stop_reason", "completionReason")


class InvokeReader:
    """Reads the frames of one answer."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._anthropic: Reader | None = None

    def read(self, frame: Document) -> Iterator[Event]:
        """Yield the events of one frame, whose ``bytes`` contain a document in base64.

        Raises:
            BadMessage: the format of the document is unknown.
        """
        text = b64decode(text_at(frame, "bytes")).decode("utf-8", "replace")
        document = parse_object(text)
        kind = text_at(document, "type")
        yield from self._message(kind, text) if kind else self._flat(document)

    def _message(self, kind: str, text: str) -> Iterator[Event]:
        """Read an event of Anthropic's messages API."""
        if self._anthropic is None:
            from llmstream.adapters.anthropic_reader import AnthropicReader

            self._anthropic = AnthropicReader()
        yield from self._anthropic.read(WireMessage(kind, text))
        self.done, self.finished = self._anthropic.done, self._anthropic.finished

    def _flat(self, document: Document) -> Iterator[Event]:
        known = [name for name in TEXTS if name in document]
        if not known:
            check(WireMessage("", ""), document)
            raise BadMessage("the answer contains a frame in an unknown format")
        text = text_at(document, known[0])
        if text:
            yield TextDelta(text)
        raw = next((reason for name in REASONS if (reason := reason_at(document, name))), "")
        if raw:
            self.finished = True
            yield finish(raw)
        metrics = extras_at(document, "amazon-bedrock-invocationMetrics")
        if metrics:
            self.done = True
            yield Usage(count_at(metrics, "inputTokenCount"), count_at(metrics, "outputTokenCount"))
