"""Amazon Bedrock's Converse API: one dialect for all its models, streamed as AWS event stream frames.

Sources: Amazon Bedrock API Reference, "Converse", "ConverseStream", "MessageStopEvent", "TokenUsage";
User Guide, "Use an Amazon Bedrock API key" (bearer token); read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from llmstream.adapters import bedrock_request, http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.json_values import arguments_text, count_at, laid_over, names_at, sum_at, text_at
from llmstream.errors import BadMessage, ProviderError
from llmstream.events import Event, Finish, FinishReason, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.record import replace
from llmstream.wire.document import Document, parse_object
from llmstream.wire.message import WireMessage

if TYPE_CHECKING:
    from llmstream.adapters.bedrock_invoke import InvokeReader

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls",
    "max_tokens": "length", "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter", "content_filtered": "content_filter",
    "malformed_model_output": "error", "malformed_tool_use": "error",
}  # fmt: skip


class Bedrock:
    """The ``/model/MODEL/converse`` dialect."""

    name = "bedrock"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request; the model's id, which may be an ARN with slashes, is one part of the path."""
        body = bedrock_request.body(prompt, options)
        accept = "application/vnd.amazon.eventstream" if stream else "application/json"
        headers = {"accept": accept, **endpoint.headers}
        sent = replace(endpoint, headers=headers, extra_body=laid_over(body, endpoint.extra_body))
        path = f"/model/{quote(endpoint.model, safe='')}/converse" + ("-stream" if stream else "")
        notices = tuple(bedrock_request.notices(prompt, options))
        request = common.post(sent, path, body, stream=False, notices=notices)
        return replace(request, framing="aws") if stream else request

    def reader(self) -> BedrockReader:
        """Return a reader for one answer."""
        return BedrockReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return what a refused request's answer says, with the type that only a header has."""
        error = http_errors.refusal(status, headers, body)
        kind = headers.get("x-amzn-errortype", "").partition(":")[0]
        if kind:
            error.message += f" ({kind})"
        return error

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return None: nothing is sent that some models refuse."""
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the address of the model list, which is another service's of the same region.

        Source: Amazon Bedrock API Reference, "ListFoundationModels"; AWS General Reference, "Amazon
        Bedrock endpoints": bedrock.REGION beside bedrock-runtime.REGION.
        """
        base_url = endpoint.base_url.replace("//bedrock-runtime.", "//bedrock.", 1)
        return base_url + "/foundation-models?byOutputModality=TEXT"

    def models(self, document: object) -> list[str]:
        """Return the models' ids."""
        return names_at(document, "modelSummaries", "modelId")


class BedrockReader:
    """Reads one answer, streamed or whole."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls: dict[int, int] = {}
        self._invoked: InvokeReader | None = None

    def read(self, message: WireMessage) -> list[Event]:
        """Return the events of one frame."""
        kind = message.event
        if kind.startswith("exception:"):
            raise _failure(kind.partition(":")[2], message.data)
        document = parse_object(message.data)
        events: list[Event] = []
        if kind == "contentBlockDelta":
            self._delta(document["delta"], document["contentBlockIndex"], events)
        elif kind == "contentBlockStart":
            self._start(document.get("start") or {}, document["contentBlockIndex"], events)
        elif kind == "messageStop":
            self._stop(document, events)
        elif kind == "metadata":
            # it comes behind messageStop, and nothing behind it
            self.done = True
            _usage(document, events)
        elif kind == "whole":
            self._whole(document, events)
        elif kind == "chunk":
            self._invoke(document, events)
        return events

    def _start(self, start: Document, block: int, events: list[Event]) -> None:
        # blocks of text have no start; a `toolResult` is that of a tool which Bedrock ran itself
        call = start.get("toolUse")
        if call:
            index = self._calls.setdefault(block, len(self._calls))
            events.append(ToolCallDelta(index, call["toolUseId"], call["name"], ""))

    def _delta(self, delta: Document, block: int, events: list[Event]) -> None:
        text = text_at(delta, "text")
        if text:
            events.append(TextDelta(text))
        elif "toolUse" in delta:
            index = self._calls.setdefault(block, len(self._calls))
            events.append(ToolCallDelta(index, None, None, text_at(delta["toolUse"], "input")))
        elif "reasoningContent" in delta:
            # beside text there are signatures and `redactedContent`, which nobody can read
            _reasoning(delta["reasoningContent"], events)

    def _stop(self, document: Document, events: list[Event]) -> None:
        self.finished = True
        raw = text_at(document, "stopReason")
        events.append(Finish(FINISH_REASONS.get(raw, "unknown"), raw or None))

    def _whole(self, document: Document, events: list[Event]) -> None:
        if "output" not in document:
            raise _failure("", http_errors.message_in(document))
        for block, part in enumerate(document["output"]["message"]["content"]):
            if "toolUse" in part:
                self._start(part, block, events)
                arguments = arguments_text(part["toolUse"].get("input") or {})
                self._delta({"toolUse": {"input": arguments}}, block, events)
            elif "reasoningContent" in part:
                _reasoning(part["reasoningContent"].get("reasoningText") or {}, events)
            elif text_at(part, "text"):
                events.append(TextDelta(part["text"]))
        self._stop(document, events)
        _usage(document, events)
        self.done = True

    def _invoke(self, document: Document, events: list[Event]) -> None:
        """Read one frame of InvokeModelWithResponseStream, which holds a model's own dialect."""
        if self._invoked is None:
            from llmstream.adapters.bedrock_invoke import InvokeReader

            self._invoked = InvokeReader()
        events += self._invoked.read(document)
        self.done, self.finished = self._invoked.done, self._invoked.finished


def _reasoning(content: Document, events: list[Event]) -> None:
    text = text_at(content, "text")
    if text:
        events.append(ReasoningDelta(text))


def _usage(document: Document, events: list[Event]) -> None:
    counts = document.get("usage")
    if counts:
        usage = Usage(
            # unlike totalTokens, inputTokens leaves out what the cache has to do with
            input_tokens=sum_at(counts, "inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
            output_tokens=count_at(counts, "outputTokens"),
            total_tokens=count_at(counts, "totalTokens"),
            cached_tokens=count_at(counts, "cacheReadInputTokens"),
        )
        events.append(usage)


def _failure(kind: str, data: str) -> ProviderError | BadMessage:
    """Return the error that an exception's frame, or a document without an answer, reports."""
    document = http_errors.parsed(data.encode("utf-8", "replace"))
    said = http_errors.message_in(document) or data
    if not kind and not said:
        return BadMessage("the answer is neither a message nor an error")
    return http_errors.in_stream(said, kind)
