"""Reads the answers of Ollama's own API: lines of JSON.

Sources: Ollama, docs/api.md, "Generate a chat completion" and "Generate a completion";
docs/api/errors.mdx, "Errors that occur while streaming"; docs/capabilities/thinking.mdx, read 2026-11;
recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from llmstream.adapters import http_errors
from llmstream.adapters.content import content_events, thinking_in
from llmstream.adapters.error_words import message_in
from llmstream.adapters.finish_reasons import finish
from llmstream.adapters.json_values import (
    arguments_text,
    count_at,
    name_at,
    object_at,
    objects_at,
    reason_at,
    text_at,
)
from llmstream.adapters.opening import check, ends, opened
from llmstream.adapters.tool_calls import ToolCalls
from llmstream.errors import ProviderError, Unavailable
from llmstream.events import Event, ReasoningDelta, Usage
from llmstream.wire.document import Document
from llmstream.wire.message import WireMessage

NO_ANSWER: Final = {
    "load": "no answer: Ollama only loaded the model",
    "unload": "no answer: Ollama unloaded the model",
}
"""Finish reason -> message, for a prompt that Ollama treats as empty (docs/api.md, "Load a model" and
"Unload a model")."""


class OllamaReader:
    """Reads one answer of ``/api/chat`` or ``/api/generate``, streamed or whole."""

    def __init__(self) -> None:
        self.done = False
        self.finished = False
        self._calls = ToolCalls()
        self._answered = False

    def read(self, message: WireMessage) -> Iterator[Event]:
        """Yield the events of one line."""
        if ends(message.data):
            self.done = True
            return
        document = opened(message)
        error = document.get("error")
        if error:
            raise _failure(document)
        # `done` without text is a status message, for example that a model was loaded
        check(message, document, "message", "response", "done", "thinking", "tool_calls")
        in_message = document.get("message") is not None and not isinstance(document["message"], str)
        answer = object_at(document, "message") if in_message else document
        for event in self._answer(answer, "content" if in_message else "response"):
            self._answered = True
            yield event
        # some servers send only one of these
        if document.get("done") is True or text_at(document, "done_reason"):
            yield from self._end(document)

    def _answer(self, answer: Document, key: str) -> Iterator[Event]:
        # a line with only thinking may have no content or an empty one
        thinking = thinking_in(answer)
        if thinking:
            yield ReasoningDelta(thinking)
        yield from content_events(answer.get(key))
        for call in objects_at(answer, "tool_calls"):
            function = object_at(call, "function") or call
            # each call is complete; `index` is ignored, because some models omit it, at least at first
            arguments = arguments_text(function.get("arguments") or {})
            yield from self._calls.piece(
                None, name_at(call, "id"), name_at(function, "name"), arguments, whole=True
            )

    def _end(self, document: Document) -> Iterator[Event]:
        self.done = self.finished = True
        raw = reason_at(document, "done_reason")
        if raw in NO_ANSWER and not self._answered:
            raise Unavailable(NO_ANSWER[raw], retryable=True)
        # the reason is `stop` even if the model has called tools
        yield finish(raw, calls=self._calls)
        # prompt_eval_count is missing if the prompt was cached
        counts = count_at(document, "prompt_eval_count"), count_at(document, "eval_count")
        if counts != (None, None):
            yield Usage(*counts)


def _failure(document: Document) -> ProviderError:
    said = message_in(document) or "an error without a message"
    status = document.get("status", document.get("status_code"))
    if isinstance(status, int) and not isinstance(status, bool):
        return http_errors.in_stream(said, status=status)
    if http_errors.TOO_LONG.search(said):
        return http_errors.in_stream(said)
    # a faulty request would have been refused by its HTTP status, so the model's runner has failed
    return Unavailable(said)
