"""Reads answers of Cohere's chat API, version 1, which older deployments and gateways still send.

Source: Cohere API reference, version 1, "Chat with Streaming"; a recorded answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmstream.adapters.cohere_common import ended
from llmstream.adapters.json_values import arguments_text, extras_at, name_at, objects_at, text_at
from llmstream.adapters.tool_calls import ToolCalls
from llmstream.events import Event, TextDelta
from llmstream.wire.document import Document


class CohereV1Reader:
    """Reads the lines of one answer."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls = ToolCalls()

    def read(self, document: Document) -> Iterator[Event]:
        """Yield the events of one line; the last line repeats the complete answer, which is ignored."""
        kind = document["event_type"]
        if kind == "text-generation":
            yield TextDelta(text_at(document, "text"))
        elif kind == "tool-calls-generation":
            for call in objects_at(document, "tool_calls"):
                # each call is complete and has no id
                arguments = arguments_text(call.get("parameters") or {})
                yield from self._calls.piece(None, None, name_at(call, "name"), arguments, whole=True)
        elif kind == "stream-end":
            yield from ended(document, extras_at(document.get("response"), "meta"))
            self.done = self.finished = True
