"""Reads the answers of Anthropic's messages API, streamed or whole.

Sources: Anthropic API reference, "Create a Message"; guides "Streaming messages", "Streaming refusals",
"Handling stop reasons" and "Errors", read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from llmstream.adapters.content import content_events
from llmstream.adapters.finish_reasons import finish
from llmstream.adapters.json_values import (
    arguments_text,
    count_at,
    extras_at,
    index_at,
    name_at,
    object_at,
    objects_at,
    reason_at,
    sum_at,
    text_at,
)
from llmstream.adapters.opening import ANTHROPIC, check, ends, opened
from llmstream.adapters.tool_calls import MOST_CALLS, ToolCalls
from llmstream.errors import BadMessage
from llmstream.events import Event, Notice, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.wire.document import Document
from llmstream.wire.message import WireMessage

SAYING: Final = (None, "text", "thinking", "reasoning", "output_text", "refusal")
"""Types of blocks with text or thinking; results of the provider's own tools are ignored."""
DELTAS: Final = (None, "text_delta", "thinking_delta", "input_json_delta")
UNNAMED: Final = "\0"
"""Replaces the id of a call without one, because each block is a separate call."""
CACHE: Final = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Input that ``input_tokens`` does not include, unlike OpenAI's counts ("Prompt caching")."""


class AnthropicReader:
    """Reads one answer; tools that the provider runs itself are not calls for the caller."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls = ToolCalls()
        self._blocks: dict[int, str] = {}
        self._waiting: dict[int, str] = {}
        self._usage: dict[str, int | None] = {}

    def read(self, message: WireMessage) -> Iterable[Event]:
        """Return the events of one message; pings and unknown types have none."""
        if ends(message.data):  # OpenRouter's own end mark
            self.done = True
            return ()
        document = opened(message)
        kind = document.get("type")
        if kind is None and message.event in ANTHROPIC:
            kind = message.event
        elif kind is None and "content" in document and document.get("role") == "assistant":
            kind = "message"
        if kind == "content_block_delta":
            delta = object_at(document, "delta")
            text = delta.get("text")
            if type(text) is str and text and delta.get("type") == "text_delta":
                return (TextDelta(text),)
            return self._delta(index_at(document, "index") or 0, delta)
        if kind == "ping":
            return ()
        if kind in (*ANTHROPIC, "message", "content_block_stop"):
            if document.get("error") is not None:
                check(message, document)
        else:
            check(message, document)
        return self._other(str(kind), document)

    def _other(self, kind: str, document: Document) -> Iterator[Event]:
        if kind == "content_block_start":
            yield from self._block(index_at(document, "index") or 0, object_at(document, "content_block"))
        elif kind == "content_block_stop":
            yield from self._given(index_at(document, "index") or 0)
        elif kind == "message_start":
            yield from self._counted(extras_at(document.get("message"), "usage"))
        elif kind == "message_delta":
            yield from self._finish(object_at(document, "delta"))
            yield from self._counted(extras_at(document, "usage"))
        elif kind == "message_stop":
            yield from self._left()
            self.done = True
        elif kind == "message" and "content" in document:
            if isinstance(document["content"], str):
                yield from content_events(document["content"])
            else:
                for index, block in enumerate(objects_at(document, "content")):
                    yield from self._block(index, block, whole=True)
            yield from self._finish(document)
            yield from self._counted(extras_at(document, "usage"))
            self.done = True

    def _block(self, index: int, block: Document, *, whole: bool = False) -> Iterator[Event]:
        """Yield the events of a block's start; in a whole document, of the whole block."""
        yield from self._given(index)
        kind = block.get("type")
        self._blocks.pop(index, None)
        if kind == "tool_use":
            if len(self._blocks) >= MOST_CALLS:
                raise BadMessage(f"the answer has more than {MOST_CALLS} tool calls")
            id_ = name_at(block, "id") or f"{UNNAMED}{index}"
            self._blocks[index] = id_
            arguments = arguments_text(block.get("input") or None)
            yield from self._piece(index, name_at(block, "name"), arguments if whole else "", whole=True)
            # most servers send an empty object here and the input in pieces; some send it here, or both
            self._waiting[index] = "" if whole else arguments
        elif kind in SAYING:
            yield from content_events(block)

    def _given(self, index: int) -> Iterator[Event]:
        """Yield the input given at a call's start, if no pieces followed."""
        waiting = self._waiting.pop(index, "")
        if waiting:
            yield from self._piece(index, None, waiting)

    def _left(self) -> Iterator[Event]:
        for index in list(self._waiting):
            yield from self._given(index)

    def _piece(self, index: int, name: str | None, text: str, *, whole: bool = False) -> Iterator[Event]:
        id_ = self._blocks[index]
        for event in self._calls.piece(index, id_, name, text, whole=whole):
            made_up = event.id is not None and event.id.startswith(UNNAMED)
            yield ToolCallDelta(event.index, None, event.name, event.arguments) if made_up else event

    def _delta(self, index: int, delta: Document) -> Iterator[Event]:
        """Yield the events of a delta by its fields, because some servers omit its type."""
        if delta.get("type") not in DELTAS:
            return
        thinking, text = text_at(delta, "thinking"), text_at(delta, "text")
        if thinking:
            yield ReasoningDelta(thinking)
        if text:
            yield TextDelta(text)
        piece = delta.get("partial_json")
        if piece and index in self._blocks:
            self._waiting.pop(index, None)
            yield from self._piece(index, None, arguments_text(piece))

    def _finish(self, delta: Document) -> Iterator[Event]:
        raw = reason_at(delta, "stop_reason")
        if raw:
            yield from self._left()
            self.finished = True
            why = text_at(extras_at(delta, "stop_details"), "explanation")
            if why:
                yield Notice(why)
            yield finish(raw)

    def _counted(self, counts: Document) -> Iterator[Event]:
        """Yield the usage so far.

        message_delta's counts are cumulative: they replace earlier ones ("Streaming messages").  From
        OpenRouter, the first ones are zeros and nulls.
        """
        for key in ("input_tokens", "output_tokens", *CACHE):
            count = count_at(counts, key)
            if count is not None:
                self._usage[key] = count
        thought = count_at(extras_at(counts, "output_tokens_details"), "thinking_tokens")
        if thought is not None:
            self._usage["thinking_tokens"] = thought
        if self._usage:
            found = self._usage.get
            yield Usage(
                input_tokens=sum_at(self._usage, "input_tokens", *CACHE),
                output_tokens=found("output_tokens"),
                reasoning_tokens=found("thinking_tokens"),
                cached_tokens=found(CACHE[0]),
            )
