"""What servers that imitate an API send a little differently: read where the meaning is clear, never lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmstream.adapters.anthropic_reader import AnthropicReader
from llmstream.adapters.base import Reader
from llmstream.adapters.gemini import GeminiReader
from llmstream.adapters.http_errors import refusal
from llmstream.adapters.ollama_reader import OllamaReader
from llmstream.adapters.openai_chat import ChatReader
from llmstream.adapters.openai_completions import CompletionsReader
from llmstream.adapters.openai_responses_reader import ResponsesReader
from llmstream.errors import ContextTooLong, ProviderError
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.wire.message import WireMessage


def read(reader: Reader, *documents: Any, event: str = "message") -> list[Event]:
    """Return the events of these messages, but for deltas without text."""
    messages = (WireMessage(event, json.dumps(document)) for document in documents)
    return [e for message in messages for e in reader.read(message) if e != TextDelta("")]


def chat(delta: Any, **choice: Any) -> Any:
    """Return a chunk of chat completions."""
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None, **choice}]}


@pytest.mark.parametrize("index", [0, "0", None, ""])
@pytest.mark.parametrize(
    ("reader", "kind", "choice"),
    [
        (ChatReader, "choices", {"delta": {"content": "hi"}}),
        (CompletionsReader, "choices", {"text": "hi"}),
        (GeminiReader, "candidates", {"content": {"parts": [{"text": "hi"}]}}),
    ],
)
def test_the_first_choice_is_the_answer_however_its_index_is_written(
    reader: type[Reader], kind: str, choice: Any, index: Any
) -> None:
    assert read(reader(), {kind: [{"index": index, **choice}]}) == [TextDelta("hi")]
    assert read(reader(), {kind: [{"index": "1", **choice}]}) == []


@pytest.mark.parametrize("number", [6, 0, 0.005])
def test_a_token_sent_as_a_number_is_text(number: float) -> None:
    text = TextDelta(str(number))
    assert read(ChatReader(), chat({"content": number})) == [text]
    assert read(ChatReader(), chat({"content": [{"type": "text", "text": number}]})) == [text]
    assert read(ChatReader(), chat({"reasoning_content": number})) == [ReasoningDelta(str(number))]
    assert read(CompletionsReader(), {"choices": [{"text": number}]}) == [text]
    assert read(OllamaReader(), {"message": {"content": number}, "done": False}) == [text]


@pytest.mark.parametrize("delta", [None, {}, {"role": "assistant", "content": ""}])
def test_a_whole_answer_is_in_its_message_whatever_its_delta_is(delta: Any) -> None:
    whole = chat(delta, message={"role": "assistant", "content": "hi"}, finish_reason="stop")
    assert read(ChatReader(), whole, event="whole") == [TextDelta("hi"), Finish("stop", "stop")]


def test_a_message_next_to_deltas_is_not_the_answer_twice() -> None:
    message = {"content": "hi", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
    assert read(ChatReader(), chat(None, message={"content": "hi"})) == [TextDelta("hi")]
    assert read(ChatReader(), chat({"content": "hi"}), chat(None, message=message)) == [TextDelta("hi")]
    found = read(ChatReader(), chat({"tool_calls": message["tool_calls"]}), chat({}, message=message))
    assert found == [ToolCallDelta(0, "1", "f", "{}")]


@pytest.mark.parametrize("delta", [{}, {"content": ""}, {"content": "x"}])
def test_an_error_in_a_choice_is_one_without_a_finish_reason_too(delta: Any) -> None:
    with pytest.raises(ProviderError, match="upstream") as raised:
        read(ChatReader(), chat(delta, error={"code": 502, "message": "upstream died"}))
    assert raised.value.status == 502
    with pytest.raises(ProviderError, match="upstream"):
        read(CompletionsReader(), {"choices": [{"text": "", "error": {"message": "upstream died"}}]})


def test_counts_are_found_in_a_choice_and_under_the_names_of_either_api() -> None:
    counts = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cached_tokens": 1}
    finish = {"finish_reason": "stop", "usage": counts}
    usage = Usage(3, 2, 5, cached_tokens=1)
    assert read(ChatReader(), chat({}, **finish)) == [Finish("stop", "stop"), usage]
    assert usage in read(CompletionsReader(), {"choices": [{"text": "", **finish}]})
    # the message's own counts go first
    assert Usage(9) in read(ChatReader(), {**chat({}, **finish), "usage": {"prompt_tokens": 9}})
    others = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5,
              "input_tokens_details": {"cached_tokens": 1}}  # fmt: skip
    assert read(ChatReader(), {"choices": [], "usage": others}) == [usage]
    completed = {"type": "response.completed", "response": {"status": "completed", "usage": counts}}
    assert usage in read(ResponsesReader(), completed)


def test_thinking_beside_a_completion_is_thinking() -> None:
    found = read(
        CompletionsReader(), {"choices": [{"text": "", "reasoning": "hm"}]}, {"choices": [{"text": "a"}]}
    )
    assert found == [ReasoningDelta("hm"), TextDelta("a")]


@pytest.mark.parametrize(
    ("status", "reason"), [("completed", "stop"), ("incomplete", "length"), (None, "stop"), ("failed", "")]
)
def test_older_names_of_the_events_of_a_response_are_understood(status: str | None, reason: str) -> None:
    part = {"type": "response.content_part.delta", "output_index": 0, "content_index": 0, "delta": "hi"}
    reader, end = ResponsesReader(), {"type": "response.done", "response": {"status": status}}
    assert read(reader, part) == [TextDelta("hi")]
    if not reason:
        with pytest.raises(ProviderError, match="failed"):
            read(reader, end)
        return
    [finish] = read(reader, end)
    assert isinstance(finish, Finish) and finish.reason == reason and reader.done


def test_a_message_of_null_does_not_hide_the_response_beside_it() -> None:
    assert read(OllamaReader(), {"message": None, "response": "hi", "done": False}) == [TextDelta("hi")]


def test_a_whole_message_is_one_without_its_type() -> None:
    whole = {"role": "assistant", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"}
    assert read(AnthropicReader(), whole, event="whole") == [TextDelta("hi"), Finish("stop", "end_turn")]


ERROR = '{"error": {"message": "the prompt is too long"}}'


@pytest.mark.parametrize(
    "body",
    [
        f"data: {ERROR}\n\n".encode(),
        f"event: error\ndata: {ERROR}\n\ndata: [DONE]\n\n".encode(),
        f": ping\n\ndata: [DONE]\n\ndata: {ERROR}".encode(),
        b"data: the prompt is too long\n\n",
        b"\xef\xbb\xbf" + ERROR.encode(),
        ERROR.encode("utf-16"),
        ERROR.encode("utf-16-le"),
    ],
)
def test_a_refusal_is_read_from_an_event_stream_and_in_other_encodings(body: bytes) -> None:
    error = refusal(400, {}, body)
    assert isinstance(error, ContextTooLong) and error.message == "400 Bad Request: the prompt is too long"


@pytest.mark.parametrize("body", [b"data: " * 10_000, b"data:\n\n", b"id: 7 not found", b"data: [DONE]\n\n"])
def test_a_refusal_without_a_message_is_one_whatever_its_body_is(body: bytes) -> None:
    assert refusal(500, {}, body).status == 500
