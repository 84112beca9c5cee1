"""Reads the answers of Bedrock's Converse API: named frames with a JSON payload, or one document.

Sources: Amazon Bedrock API Reference, "ConverseStream", "MessageStopEvent", "TokenUsage", "ContentBlock";
read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llmstream.adapters import http_errors
from llmstream.adapters.content import text_of
from llmstream.adapters.error_words import message_in, parsed
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
from llmstream.adapters.opening import check, opened
from llmstream.adapters.tool_calls import ToolCalls
from llmstream.errors import BadMessage, ProviderError
from llmstream.events import Event, ReasoningDelta, TextDelta, Usage
from llmstream.wire.document import Document
from llmstream.wire.message import WireMessage

if TYPE_CHECKING:
    from llmstream.adapters.bedrock_invoke import InvokeReader

FRAMES = frozenset({"messageStart", "contentBlockStop", "initial-response"})
"""Names of frames without content."""


class BedrockReader:
    """Reads one answer, streamed or whole."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls = ToolCalls()
        self._invoked: InvokeReader | None = None

    def read(self, message: WireMessage) -> Iterator[Event]:
        """Yield the events of one frame."""
        kind = message.event
        if kind.startswith("exception:"):
            raise _failure(kind.partition(":")[2], message.data)
        document = opened(message)
        if kind == "contentBlockDelta":
            yield from self._delta(object_at(document, "delta"), index_at(document, "contentBlockIndex"))
        elif kind == "contentBlockStart":
            yield from self._start(object_at(document, "start"), index_at(document, "contentBlockIndex"))
        elif kind == "messageStop":
            yield from self._stop(document)
        elif kind == "metadata":
            # follows messageStop as the last frame
            self.done = True
            yield from _usage(document)
        elif kind == "whole":
            yield from self._whole(document)
        elif kind == "chunk":
            yield from self._invoke(document)
        elif kind not in FRAMES:
            check(message, document)

    def _start(self, start: Document, block: int | None) -> Iterator[Event]:
        # text blocks have no start; a `toolResult` belongs to a tool that Bedrock ran itself
        call = object_at(start, "toolUse")
        if call:
            id_, name = name_at(call, "toolUseId"), name_at(call, "name")
            yield from self._calls.piece(block, id_, name, "", whole=True)

    def _delta(self, delta: Document, block: int | None) -> Iterator[Event]:
        text = text_at(delta, "text")
        if text:
            yield TextDelta(text)
        elif "toolUse" in delta:
            piece = arguments_text(object_at(delta, "toolUse").get("input"))
            yield from self._calls.piece(block, None, None, piece)
        elif "reasoningContent" in delta:
            # other fields are signatures and `redactedContent`, which is encrypted
            yield from _reasoning(delta["reasoningContent"])

    def _stop(self, document: Document) -> Iterator[Event]:
        self.finished = True
        yield finish(reason_at(document, "stopReason"), calls=None)

    def _whole(self, document: Document) -> Iterator[Event]:
        if "output" not in document:
            check(WireMessage("", ""), document)
            raise _failure("", message_in(document))
        content = object_at(object_at(document, "output"), "message")
        for part in objects_at(content, "content"):
            if "toolUse" in part:
                call = object_at(part, "toolUse")
                arguments = arguments_text(call.get("input") or {})
                yield from self._calls.piece(
                    None, name_at(call, "toolUseId"), name_at(call, "name"), arguments, whole=True
                )
            elif "reasoningContent" in part:
                yield from _reasoning(part["reasoningContent"])
            else:
                text = text_at(part, "text")
                if text:
                    yield TextDelta(text)
        yield from self._stop(document)
        yield from _usage(document)
        self.done = True

    def _invoke(self, document: Document) -> Iterator[Event]:
        """Read one frame of InvokeModelWithResponseStream, in the model's own dialect."""
        if self._invoked is None:
            from llmstream.adapters.bedrock_invoke import InvokeReader

            self._invoked = InvokeReader()
        yield from self._invoked.read(document)
        self.done, self.finished = self._invoked.done, self._invoked.finished


def _reasoning(content: object) -> Iterator[Event]:
    inner = content.get("reasoningText", content) if isinstance(content, dict) else content
    text = text_at(inner, "text") if isinstance(inner, dict) else text_of(inner)
    if text:
        yield ReasoningDelta(text)


def _usage(document: Document) -> Iterator[Event]:
    counts = extras_at(document, "usage")
    if counts:
        yield Usage(
            # unlike totalTokens, inputTokens does not include cached tokens
            input_tokens=sum_at(counts, "inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
            output_tokens=count_at(counts, "outputTokens"),
            total_tokens=count_at(counts, "totalTokens"),
            cached_tokens=count_at(counts, "cacheReadInputTokens"),
        )


def _failure(kind: str, data: str) -> ProviderError | BadMessage:
    """Return the error reported by an exception frame or by a document without an answer."""
    document = parsed(data.encode("utf-8", "replace"))
    said = message_in(document) or ("" if document == {} else data.strip())
    if not kind and not said:
        return BadMessage("the answer is neither a message nor an error")
    return http_errors.in_stream(said, kind)
