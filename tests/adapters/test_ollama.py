"""Ollama: what is asked for, and what its lines mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmstream.adapters.ollama import Ollama
from llmstream.adapters.ollama_reader import OllamaReader
from llmstream.errors import BadMessage, ContextTooLong, RequestRefused, Unavailable, UsageError
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Attachment, Endpoint, Json, Message, Options, Prompt, Secret, ToolCall
from llmstream.wire.message import WireMessage

ENDPOINT = Endpoint("home", "qwen3", "http://localhost:11434")
TOOL: dict[str, Json] = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object"}},
}


def body(
    *messages: Message, options: Options | None = None, endpoint: Endpoint = ENDPOINT, stream: bool = True
) -> Any:
    """Return the body of a request."""
    return json.loads(Ollama().request(Prompt(messages), options or Options(), endpoint, stream=stream).body)


def read(*documents: Any) -> list[Event]:
    """Return the events of these lines."""
    reader = OllamaReader()
    return [e for document in documents for e in reader.read(WireMessage("", json.dumps(document)))]


def test_a_request_goes_to_chat_and_is_answered_in_lines() -> None:
    request = Ollama().request(Prompt((Message("user", "hi"),)), Options(), ENDPOINT, stream=True)
    assert (request.method, request.url) == ("POST", "http://localhost:11434/api/chat")
    assert request.framing == "ndjson"
    assert "authorization" not in request.headers
    assert request.notices == ()
    assert json.loads(request.body) == {
        "model": "qwen3", "messages": [{"role": "user", "content": "hi"}], "stream": True, "options": {},
    }  # fmt: skip


def test_a_base_url_that_ends_with_api_is_the_same_place() -> None:
    endpoint = Endpoint("home", "qwen3", "http://localhost:11434/api")
    request = Ollama().request(Prompt((Message("user", "hi"),)), Options(), endpoint, stream=True)
    assert request.url == "http://localhost:11434/api/chat"
    assert Ollama().models_url(endpoint) == "http://localhost:11434/api/tags"


def test_a_request_that_is_not_streamed_is_answered_whole() -> None:
    request = Ollama().request(Prompt((Message("user", "hi"),)), Options(), ENDPOINT, stream=False)
    assert request.framing == "whole"
    assert json.loads(request.body)["stream"] is False


def test_a_key_goes_as_bearer_token() -> None:
    endpoint = Endpoint("cloud", "m", "https://ollama.com", Secret("k-123"))
    request = Ollama().request(Prompt((Message("user", "hi"),)), Options(), endpoint, stream=True)
    assert request.headers["authorization"] == "Bearer k-123"


def test_options_are_the_runners_unless_they_are_the_requests() -> None:
    options = Options(
        temperature=0, max_tokens=5, stop=("x",), top_k=3, extra={"num_ctx": 8192, "keep_alive": "1h"}
    )
    endpoint = Endpoint("p", "m", "http://h", extra_body={"options": {"num_gpu": 1}, "truncate": False})
    sent = body(Message("user", "hi"), options=options, endpoint=endpoint)
    assert sent["options"] == {
        "temperature": 0, "num_predict": 5, "stop": ["x"], "top_k": 3, "num_ctx": 8192, "num_gpu": 1,
    }  # fmt: skip
    assert (sent["keep_alive"], sent["truncate"]) == ("1h", False)


@pytest.mark.parametrize(("effort", "think"), [("none", False), ("minimal", "low"), ("high", "high")])
def test_reasoning_effort_becomes_think(effort: str, think: object) -> None:
    assert body(Message("user", "hi"), options=Options(reasoning_effort=effort))["think"] == think


def test_a_schema_is_the_format() -> None:
    assert body(Message("user", "hi"), options=Options(schema={"type": "object"}))["format"] == {
        "type": "object"
    }


def test_tools_are_passed_on_and_not_at_all_when_none_may_be_called() -> None:
    assert body(Message("user", "hi"), options=Options(tools=(TOOL,)))["tools"] == [TOOL]
    assert "tools" not in body(Message("user", "hi"), options=Options(tools=(TOOL,), tool_choice="none"))


def test_a_conversation_with_calls_has_objects_for_arguments() -> None:
    called = Message("assistant", "", tool_calls=(ToolCall(0, None, "weather", '{"city": "Paris"}'),))
    sent = body(Message("user", "?"), called, Message("tool", "15", name="weather"))["messages"]
    assert sent[1]["tool_calls"] == [{"function": {"name": "weather", "arguments": {"city": "Paris"}}}]
    assert sent[2] == {"role": "tool", "content": "15", "tool_name": "weather"}


def test_arguments_that_are_no_object_can_not_be_sent() -> None:
    with pytest.raises(UsageError, match="weather"):
        body(Message("assistant", "", tool_calls=(ToolCall(0, None, "weather", "[1"),)))


def test_images_go_as_base64_and_what_can_not_go_is_said() -> None:
    attachments = (
        Attachment("image/png", b"\x00\x01"),
        Attachment("image/png", url="https://h/i.png", name="i.png"),
        Attachment("application/pdf", b"%PDF", name="a.pdf"),
    )
    prompt = Prompt((Message("user", "look", attachments),))
    request = Ollama().request(prompt, Options(tools=(TOOL,), tool_choice="weather"), ENDPOINT, stream=True)
    assert json.loads(request.body)["messages"][0]["images"] == ["AAE="]
    assert [
        word in notice
        for word, notice in zip(("i.png", "a.pdf", "tool_choice"), request.notices, strict=True)
    ]
    assert len(request.notices) == 3


def test_thinking_text_and_usage_of_one_answer() -> None:
    found = read(
        {"message": {"role": "assistant", "thinking": "hm"}, "done": False},
        {"message": {"role": "assistant", "content": "hi"}, "done": False},
        {"message": {"content": ""}, "done": True, "done_reason": "length", "eval_count": 7},
    )
    assert found == [
        ReasoningDelta("hm"), TextDelta("hi"), Finish("length", "length"), Usage(output_tokens=7),
    ]  # fmt: skip


def test_calls_come_whole_and_their_finish_is_theirs() -> None:
    calls = [{"function": {"name": name, "arguments": {"n": "é"}}} for name in ("a", "b")]
    found = read({"message": {"tool_calls": calls}, "done": False}, {"done": True, "done_reason": "stop"})
    assert found == [
        ToolCallDelta(0, None, "a", '{"n": "é"}'),
        ToolCallDelta(1, None, "b", '{"n": "é"}'),
        Finish("tool_calls", "stop"),
    ]


def test_a_whole_answer_is_read_as_its_only_line() -> None:
    reader = OllamaReader()
    document = {"message": {"content": "hi"}, "done": True, "done_reason": "stop", "prompt_eval_count": 3}
    found = list(reader.read(WireMessage("whole", json.dumps(document))))
    assert found == [TextDelta("hi"), Finish("stop", "stop"), Usage(input_tokens=3)]
    assert reader.done


def test_an_older_servers_last_line_has_no_reason() -> None:
    assert read({"response": "hi", "done": False}, {"done": True}) == [
        TextDelta("hi"),
        Finish("unknown", None),
    ]


@pytest.mark.parametrize("reason", ["load", "unload"])
def test_a_model_that_was_only_loaded_gave_no_answer(reason: str) -> None:
    with pytest.raises(Unavailable, match=f"{reason}ed the model") as raised:
        read({"message": {"content": ""}, "done": True, "done_reason": reason})
    assert raised.value.retryable


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"error": "model runner has unexpectedly stopped"}, Unavailable),
        ({"error": "the prompt is too long; it exceeds the context length"}, ContextTooLong),
        ({"error": "bad input", "status_code": 400}, RequestRefused),
    ],
)
def test_an_error_in_mid_stream_is_one(document: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        read({"message": {"content": "hi"}, "done": False}, document)


@pytest.mark.parametrize("document", [{"message": [1]}, {"message": {"content": True}}])
def test_a_line_of_another_dialect_is_not_understood(document: Any) -> None:
    with pytest.raises((BadMessage, AttributeError)):
        read(document)


def test_news_that_are_no_answer_are_passed_over() -> None:
    assert read({"model": "m", "status": "loading", "done": False}) == []


def test_a_missing_models_remedy_is_named() -> None:
    error = Ollama().error(404, {}, b'{"error": "model \'m\' not found"}')
    assert "ollama pull" in error.hint


def test_models_are_those_that_were_pulled() -> None:
    adapter = Ollama()
    assert adapter.models_url(ENDPOINT) == "http://localhost:11434/api/tags"
    assert adapter.models({"models": [{"name": "a:1b"}, {"other": 1}, "x"]}) == ["a:1b"]
    assert adapter.models(None) == []
