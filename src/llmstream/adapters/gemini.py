"""Google's Gemini API, ``generateContent``; Vertex AI's answers are accepted too.

Sources: Gemini API reference, "Generating content" (v1beta: GenerateContentResponse, FinishReason,
UsageMetadata) and "Models"; AIP-193 "Errors", read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters import gemini_request, http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.content import content_events
from llmstream.adapters.finish_reasons import finish
from llmstream.adapters.json_values import (
    arguments_text,
    count_at,
    extras_at,
    laid_over,
    name_at,
    names_at,
    object_at,
    objects_at,
    reason_at,
    text_at,
)
from llmstream.adapters.opening import check, ends, opened
from llmstream.adapters.tool_calls import ToolCalls
from llmstream.errors import BadMessage, PromptBlocked, ProviderError
from llmstream.events import Event, Finish, FinishReason, Notice, ReasoningDelta, TextDelta, Usage
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.record import replace
from llmstream.wire.document import Document, parse
from llmstream.wire.message import WireMessage

NO_FAILURES: Final[Mapping[str, FinishReason]] = {"NO_IMAGE": "unknown", "IMAGE_OTHER": "unknown"}
"""Reasons that concern only an image in addition to the text; only text is requested."""
MOST_NOTES: Final = 16
UNSPECIFIED: Final = ("", "FINISH_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED")
"""Empty values and enumeration defaults, which have no meaning."""
METHOD: Final = "generateContent"


class Gemini:
    """The ``models/MODEL:generateContent`` dialect."""

    name = "gemini"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request; the key is in a header rather than in the URL, because URLs are logged."""
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
        """Return the error for a refused request's response."""
        return http_errors.refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return None: no field is sent that the user didn't request."""
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the URL of the model list, at most 1000 models."""
        return endpoint.base_url + "/models?pageSize=1000"

    def models(self, document: object) -> list[str]:
        """Return the names of models that generate content, without the prefix ``models/``."""
        entries = document.get("models") if isinstance(document, dict) else None
        known = [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
        able = [e for e in known if METHOD in (e.get("supportedGenerationMethods") or [METHOD])]
        return [name.removeprefix("models/") for name in names_at({"models": able}, "models", "name")]


class GeminiReader:
    """Reads one answer: events, one document, or one array; candidates other than 0 are ignored.

    There is no end mark: the answer ends with its body.  Older models send a finish reason with each
    chunk, so a finish reason does not end the answer.
    """

    finish_may_repeat = True

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls = ToolCalls()
        self._noted: set[str] = set()
        self._finish: Finish | None = None

    def read(self, message: WireMessage) -> Iterator[Event]:
        """Yield the events of one message; in an array, events before a failure are not lost."""
        if ends(message.data):  # the end mark of some proxies
            self.done = True
            return
        value = parse(message.data, lenient=True) if message.data.lstrip()[:1] == "[" else opened(message)
        for document in value if isinstance(value, list) else [value]:
            if not isinstance(document, dict):
                raise BadMessage("a message of the answer is not a JSON object")
            yield from self._response(document, message)
        # an array is a stream and can end early
        self.done = message.event == "whole" and isinstance(value, dict)

    def _response(self, document: Document, message: WireMessage) -> Iterator[Event]:
        feedback = extras_at(document, "promptFeedback")
        blocked = text_at(feedback, "blockReason")
        if blocked not in UNSPECIFIED:
            why = text_at(feedback, "blockReasonMessage")
            raise PromptBlocked(f"the prompt was blocked: {blocked}" + (f": {why}" if why else ""))
        check(message, document, "candidates", "usageMetadata", "promptFeedback")
        for candidate in objects_at(document, "candidates"):
            if common.is_first(candidate):
                yield from self._candidate(candidate)
        yield from _usage(extras_at(document, "usageMetadata"))

    def _candidate(self, candidate: Document) -> Iterator[Event]:
        content = candidate.get("content")
        if isinstance(content, dict):
            for part in objects_at(content, "parts"):
                yield from self._part(part)
        else:
            yield from content_events(content)
        raw = reason_at(candidate, "finishReason")
        if raw in UNSPECIFIED:
            return
        self.finished = True
        found = finish(raw, NO_FAILURES, calls=self._calls)
        why = text_at(candidate, "finishMessage")
        if why and (found.reason == "error" or raw in NO_FAILURES):
            yield from self._note(why)
        # older models send STOP with each chunk, possibly another reason later; the last one counts
        if found != self._finish:
            self._finish = found
            yield found

    def _part(self, part: Document) -> Iterator[Event]:
        """Yield a part's events; those of tools that Google runs itself are ignored."""
        text = text_at(part, "text")
        if text:
            yield ReasoningDelta(text) if part.get("thought") else TextDelta(text)
        call = object_at(part, "functionCall")
        if call:
            yield from self._call(call)
        blob = extras_at(part, "inlineData")
        if blob:
            yield from self._note(f"the answer contains {text_at(blob, 'mimeType')} data: left out")

    def _call(self, call: Document) -> Iterator[Event]:
        """Yield a call, which is complete and usually has no id."""
        name = name_at(call, "name")
        if name:
            arguments = arguments_text(call.get("args") or {})
            yield from self._calls.piece(None, name_at(call, "id"), name, arguments, whole=True)
        if call.get("partialArgs"):
            yield from self._note("tool call arguments sent in pieces are not supported: left out")

    def _note(self, text: str) -> Iterator[Event]:
        if text not in self._noted and len(self._noted) < MOST_NOTES:
            self._noted.add(text)
            yield Notice(text)


def _usage(counts: Document) -> Iterator[Event]:
    """Yield the counts so far; the last chunk's are final.  Thoughts count as output."""
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
