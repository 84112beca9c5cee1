"""Answers of Cohere's chat API, version 1, which older deployments and gateways still give.

Source: Cohere API reference, version 1, "Chat with Streaming"; a recorded answer.
"""

from __future__ import annotations

from llmstream.adapters.cohere_common import ended
from llmstream.adapters.json_values import arguments_text, text_at
from llmstream.events import Event, TextDelta, ToolCallDelta
from llmstream.wire.document import Document


class CohereV1Reader:
    """Reads the lines of one answer."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls = 0

    def read(self, document: Document) -> list[Event]:
        """Return the events of one line; the last one repeats the whole answer."""
        kind = document["event_type"]
        if kind == "text-generation":
            return [TextDelta(text_at(document, "text"))]
        if kind == "tool-calls-generation":
            return [self._call(call) for call in document["tool_calls"]]
        if kind != "stream-end":
            return []
        events = list(ended(document, (document.get("response") or {}).get("meta")))
        self.done = self.finished = True
        return events

    def _call(self, call: Document) -> Event:
        # it comes whole and has no id
        self._calls += 1
        return ToolCallDelta(self._calls - 1, None, call["name"], arguments_text(call["parameters"]))
