"""Google's Gemini API, ``generateContent``; what Vertex AI answers is understood, too.

Sources: Gemini API reference, "Generating content" (v1beta: GenerateContentResponse, FinishReason,
UsageMetadata) and "Models"; AIP-193 "Errors", read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters import gemini_request, http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.json_values import arguments_text, count_at, laid_over, names_at, text_at
from llmstream.errors import BadMessage, PromptBlocked, ProviderError
from llmstream.events import (
    Event,
    Finish,
    FinishReason,
    Notice,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.record import replace
from llmstream.wire.document import Document, parse
from llmstream.wire.message import WireMessage

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "STOP": "stop", "MAX_TOKENS": "length",
    "SAFETY": "content_filter", "RECITATION": "content_filter", "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter", "SPII": "content_filter", "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter", "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "LANGUAGE": "error", "OTHER": "error", "NO_IMAGE": "error", "IMAGE_OTHER": "error",
    "MALFORMED_FUNCTION_CALL": "error", "UNEXPECTED_TOOL_CALL": "error", "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error", "MALFORMED_RESPONSE": "error",
}  # fmt: skip

UNSPECIFIED: Final = ("", "FINISH_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED")
"""An enumeration's default, which says nothing."""
METHOD: Final = "generateContent"


class Gemini:
    """The ``models/MODEL:generateContent`` dialect."""

    name = "gemini"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request; the key is in a header, since URLs are logged."""
        model, key = endpoint.model, endpoint.api_key
        body = laid_over(gemini_request.body(prompt, options, model), options.extra)
        keyed = {} if key is None else {"x-goog-api-key": key.reveal()}
        headers = {**keyed, **endpoint.headers}
        extra = laid_over(body, endpoint.extra_body)
        sent = replace(endpoint, api_key=None, headers=headers, extra_body=extra)
        path = f"/{gemini_request.model_path(model)}:{'streamGenerateContent?alt=sse' if stream else METHOD}"
        notices = tuple(gemini_request.notices(options, model))
        return common.post(sent, path, body, stream=stream, notices=notices)

    def reader(self) -> GeminiReader:
        """Return a reader for one answer."""
        return GeminiReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return what a refused request's answer says."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Let the error stand: nothing is sent unasked."""
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the address of the model list; a page holds 1000 at most."""
        return endpoint.base_url + "/models?pageSize=1000"

    def models(self, document: object) -> list[str]:
        """Return the names of the models that generate content, without ``models/``."""
        entries = document.get("models") if isinstance(document, dict) else None
        known = [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
        able = [e for e in known if METHOD in (e.get("supportedGenerationMethods") or [METHOD])]
        return [name.removeprefix("models/") for name in names_at({"models": able}, "models", "name")]


class GeminiReader:
    """Reads one answer: events, one document, or one array; candidates other than 0 are no part of it.

    There is no end mark: the answer ends with its body.
    """

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls = 0
        self._noted: set[str] = set()
        self._finish: Finish | None = None

    def read(self, message: WireMessage) -> Iterator[Event]:
        """Yield the events of one message; those before a failure in an array are not lost."""
        if message.data.strip() == "[DONE]":  # some proxies' own end mark
            self.done = True
            return
        value = parse(message.data)
        for document in value if isinstance(value, list) else [value]:
            if not isinstance(document, dict):
                raise BadMessage("a message of the answer is not a JSON object")
            yield from self._response(document, message.event)
        # an array is a stream, and as a stream it can stop early
        self.done = message.event == "whole" and isinstance(value, dict)

    def _response(self, document: Document, event: str) -> Iterator[Event]:
        if document.get("error") is not None:
            raise _reported(document)
        feedback = document.get("promptFeedback") or {}
        blocked = text_at(feedback, "blockReason")
        if blocked not in UNSPECIFIED:
            why = text_at(feedback, "blockReasonMessage")
            raise PromptBlocked(f"the prompt was blocked: {blocked}" + (f": {why}" if why else ""))
        if event in ("whole", "bare", "error") and not document.keys() & {"candidates", "usageMetadata"}:
            said = http_errors.message_in(document)
            raise http_errors.in_stream(said) if said else BadMessage("an answer without candidates")
        for candidate in document.get("candidates") or ():
            if not candidate.get("index"):
                yield from self._candidate(candidate)
        yield from _usage(document.get("usageMetadata") or {})

    def _candidate(self, candidate: Document) -> Iterator[Event]:
        for part in (candidate.get("content") or {}).get("parts") or ():
            yield from self._part(part)
        raw = text_at(candidate, "finishReason")
        if raw in UNSPECIFIED:
            return
        self.finished = True
        reason = FINISH_REASONS.get(raw, "unknown")
        if reason == "error" and candidate.get("finishMessage"):
            yield Notice(text_at(candidate, "finishMessage"))
        finish = Finish("tool_calls" if reason == "stop" and self._calls else reason, raw)
        # older models give STOP with each chunk, and then perhaps another reason: the last one holds
        if finish != self._finish:
            self._finish = finish
            yield finish

    def _part(self, part: Document) -> Iterator[Event]:
        """Yield a part's events; what tools do that Google runs itself is no part of the answer."""
        text = text_at(part, "text")
        if text:
            yield ReasoningDelta(text) if part.get("thought") else TextDelta(text)
        call = part.get("functionCall")
        if call is not None:
            yield from self._call(call)
        blob = part.get("inlineData")
        if blob:
            yield from self._note(f"the answer holds data of the type {text_at(blob, 'mimeType')}: left out")

    def _call(self, call: Document) -> Iterator[Event]:
        """Yield a call, which comes whole and mostly without an id."""
        name = text_at(call, "name")
        if name:
            arguments = arguments_text(call.get("args") or {})
            yield ToolCallDelta(self._calls, text_at(call, "id") or None, name, arguments)
            self._calls += 1
        if call.get("partialArgs"):
            yield from self._note("arguments of calls came in pieces, which are left out: don't ask for that")

    def _note(self, text: str) -> Iterator[Event]:
        if text not in self._noted:
            self._noted.add(text)
            yield Notice(text)


def _usage(counts: Document) -> Iterator[Event]:
    """Yield the counts of one chunk, of which the last one's hold; thoughts are output, too."""
    written, thought = count_at(counts, "candidatesTokenCount"), count_at(counts, "thoughtsTokenCount")
    usage = Usage(
        input_tokens=count_at(counts, "promptTokenCount"),
        output_tokens=written if thought is None else (written or 0) + thought,
        total_tokens=count_at(counts, "totalTokenCount"),
        reasoning_tokens=thought,
        cached_tokens=count_at(counts, "cachedContentTokenCount"),
    )
    if usage != Usage():
        yield usage


def _reported(document: Document) -> ProviderError:
    """Return the failure that a message reports in the form of AIP-193."""
    error = document["error"]
    if not isinstance(error, dict):
        return http_errors.in_stream(http_errors.message_in(document))
    code = count_at(error, "code")
    failure = http_errors.in_stream(http_errors.message_in(error), text_at(error, "status"), code)
    failure.retry_after = http_errors.retry_after({}, error)
    return failure
