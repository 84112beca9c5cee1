"""Answers of InvokeModelWithResponseStream: the models' own dialects inside of AWS frames.

Converse is what we ask for; these frames come from a gateway that answers it with the older call.

Sources: Amazon Bedrock API Reference, "InvokeModelWithResponseStream" and "PayloadPart"; User Guide,
"Inference request parameters and response fields for foundation models" (Amazon Titan Text, Anthropic
Claude, Meta Llama), read 2026-11; recorded answers.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from llmstream.adapters.base import Reader
from llmstream.adapters.json_values import count_at, text_at
from llmstream.errors import BadMessage
from llmstream.events import Event, Finish, FinishReason, TextDelta, Usage
from llmstream.wire.document import Document, parse_object
from llmstream.wire.message import WireMessage

TEXTS: Final = ("generation", "outputText", "completion")
"""Where the text is: Llama, Titan, Claude before its messages API."""

REASONS: Final = ("stop_reason", "completionReason")

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop", "finish": "stop", "stop_sequence": "stop", "stop_criteria_met": "stop",
    "length": "length", "max_tokens": "length",
    "content_filtered": "content_filter", "rag_query_when_rag_disabled": "error",
}  # fmt: skip
"""In lower case, as Titan writes them in capitals."""


class InvokeReader:
    """Reads the frames of one answer."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._anthropic: Reader | None = None

    def read(self, frame: Document) -> list[Event]:
        """Return the events of one frame's document, whose ``bytes`` hold another in base64."""
        text = b64decode(frame["bytes"]).decode("utf-8", "replace")
        document = parse_object(text)
        if "type" in document:
            return self._message(document["type"], text)
        return self._flat(document)

    def _message(self, kind: str, text: str) -> list[Event]:
        """Read an event of Anthropic's messages API."""
        if self._anthropic is None:
            from llmstream.adapters.registry import adapter

            self._anthropic = adapter("anthropic").reader()
        events = list(self._anthropic.read(WireMessage(kind, text)))
        self.done, self.finished = self._anthropic.done, self._anthropic.finished
        return events

    def _flat(self, document: Document) -> list[Event]:
        events: list[Event] = []
        known = [name for name in TEXTS if name in document]
        if not known:
            raise BadMessage("a frame of the answer is in a dialect that is not known")
        text = text_at(document, known[0])
        if text:
            events.append(TextDelta(text))
        raw = next((reason for name in REASONS if (reason := text_at(document, name))), "")
        if raw:
            self.finished = True
            events.append(Finish(FINISH_REASONS.get(raw.lower(), "unknown"), raw))
        metrics = document.get("amazon-bedrock-invocationMetrics")
        if metrics:
            self.done = True
            events.append(Usage(count_at(metrics, "inputTokenCount"), count_at(metrics, "outputTokenCount")))
        return events
