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
from llmstream.errors import BadMessage, ContextTooLong, ProviderError, Unavailable
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


@pytest.mark.parametrize(
    ("fields", "dollars"),
    [
        ({"cost": 0.5, "cost_in_usd_ticks": 7}, 0.5),
        ({"cost": {"input_tokens_cost": 0.1, "total_cost": 0.25}}, 0.25),
        ({"cost_in_usd_ticks": 37_756_000}, 0.0037756),
        ({"cost": "much", "cost_in_usd_ticks": None}, None),
    ],
)
def test_a_price_is_in_dollars_however_a_server_says_it(fields: Any, dollars: float | None) -> None:
    counts = {"prompt_tokens": 1, **fields}
    assert read(ChatReader(), {"choices": [], "usage": counts}) == [Usage(1, cost=dollars)]
    completed = {"type": "response.completed", "response": {"status": "completed", "usage": counts}}
    assert Usage(1, cost=dollars) in read(ResponsesReader(), completed)


def test_thinking_beside_a_completion_is_thinking() -> None:
    found = read(
        CompletionsReader(), {"choices": [{"text": "", "reasoning": "hm"}]}, {"choices": [{"text": "a"}]}
    )
    assert found == [ReasoningDelta("hm"), TextDelta("a")]


@pytest.mark.parametrize(
    ("status", "reason"), [("completed", "stop"), ("incomplete", "length"), (None, "stop"), ("failed", "")]
)
def test_older_names_of_the_events_of_a_response_are_understood(status: str | None, reason: str) -> None:
    place = {"output_index": 0, "content_index": 0}
    reader, end = ResponsesReader(), {"type": "response.done", "response": {"status": status}}
    for kind in ("content_part", "text"):
        assert read(reader, {"type": f"response.{kind}.delta", **place, "delta": "hi"}) == [TextDelta("hi")]
    assert read(reader, {"type": "response.text.done", **place, "text": "hihi"}) == []
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


@pytest.mark.parametrize(
    "data", ["done", "[done]", "finished", "2026-01-01T00:00:00Z", "2026-01-01 10:00:00+01:00"]
)
def test_a_plain_word_that_ends_a_stream_or_keeps_it_alive_is_no_message(data: str) -> None:
    reader = ChatReader()
    assert list(reader.read(WireMessage("done", data))) == [] and not reader.done


def test_a_call_of_a_free_text_tool_has_its_input_as_arguments() -> None:
    call = {"index": 0, "id": "1", "type": "custom", "custom": {"name": "f", "input": "ls"}}
    more = {"index": 0, "custom": {"input": " -l"}}
    found = read(ChatReader(), chat({"tool_calls": [call]}), chat({"tool_calls": [more]}))
    assert found == [ToolCallDelta(0, "1", "f", "ls"), ToolCallDelta(0, None, None, " -l")]


def test_a_document_of_no_known_form_is_neither_an_answer_nor_a_refusal() -> None:
    for reader in (ChatReader(), CompletionsReader(), AnthropicReader(), ResponsesReader(), GeminiReader()):
        with pytest.raises(BadMessage, match="neither an answer nor an error") as raised:
            read(reader, {"result": {"text": "hi"}, "status": "queued"}, event="whole")
        assert "queued" in raised.value.quote


def test_a_whole_response_is_one_without_its_object() -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}
    whole = {"status": "completed", "output": [message]}
    assert read(ResponsesReader(), whole, event="whole") == [TextDelta("hi"), Finish("stop", "completed")]


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


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"errors": {"model": ["is required"]}}', '{"errors": {"model": ["is required"]}}'),
        ('{"code":\n "model_not_found"}', '{"code": "model_not_found"}'),
        ("{'error': 'single quotes'}", "{'error': 'single quotes'}"),
        ('{"error": {"message": "cut in the mid', '{"error": {"message": "cut in the mid'),
        ('{"error": "first"}\n{"error": "second"}', "first"),
        ('{"error": "first"} and more', "first"),
        ('{"error": {"message": "bad", "type": "None", "param": "None", "code": "400"}}', "bad"),
        ("{}", ""), (" [ ]", ""), ("null", ""), ('{"error": null}', '{"error": null}'),
    ],
)  # fmt: skip
def test_a_refusal_shows_its_body_where_no_message_is_found(body: str, says: str) -> None:
    assert refusal(400, {}, body.encode()).message == f"400 Bad Request: {says}".removesuffix(": ")


def test_an_error_within_an_answer_shows_itself_where_no_message_is_found() -> None:
    for error, says in (
        ({"reason": "quota of 5", "domain": None}, '{"reason": "quota of 5"}'),
        ({"message": "slow", "type": "None", "param": "None", "code": "429"}, "slow"),
        ({"type": "odd_error"}, "odd_error"),
        ({"message": None, "type": None}, "an error without a message"),
    ):
        with pytest.raises(ProviderError) as raised:
            read(ChatReader(), {"error": error})
        assert raised.value.message == says


@pytest.mark.parametrize(
    ("status", "said", "kind", "again"),
    [
        (500, "the request exceeds the available context size", ContextTooLong, False),
        (500, "Input token count exceeds the maximum context length", ContextTooLong, False),
        (500, "failed to count input tokens", Unavailable, True),
        (503, "the request exceeds the available context size", Unavailable, True),
        (429, "maximum context tokens a minute", Unavailable, True),
    ],
)
def test_a_prompt_that_is_too_long_is_one_with_a_status_of_500_too(
    status: int, said: str, kind: type[ProviderError], again: bool
) -> None:
    error = refusal(status, {}, json.dumps({"error": {"message": said}}).encode())
    assert type(error) is kind and error.retryable is again
    with pytest.raises(kind) as raised:
        read(ChatReader(), {"error": {"message": said, "code": status}})
    assert raised.value.retryable is again


@pytest.mark.parametrize("more", [{}, {"usage": {"prompt_tokens": 1}}])
def test_empty_fields_beside_a_token_change_nothing(more: dict[str, Any]) -> None:
    delta: dict[str, Any] = {
        "content": "hi",
        "reasoning_content": None,
        "reasoning": "",
        "refusal": None,
        "tool_calls": [],
    }
    beside = {"usage": None, "x_groq": None, "error": None, **more}
    counts = [Usage(1)] if more else []
    assert read(ChatReader(), {**beside, "choices": [{"delta": delta}]}) == [TextDelta("hi"), *counts]
    assert read(CompletionsReader(), {**beside, "choices": [{"text": "hi"}]}) == [TextDelta("hi"), *counts]
