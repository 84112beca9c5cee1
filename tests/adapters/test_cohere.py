"""Cohere: what is asked for, and what its events mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmstream.adapters.cohere import Cohere, CohereReader
from llmstream.errors import ContextTooLong, ProviderError, Unavailable
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Attachment, Endpoint, Json, Message, Options, Prompt, Secret
from llmstream.wire.message import WireMessage

ENDPOINT = Endpoint("cohere", "command-a", "https://api.cohere.com", Secret("co-key"))
TOOL: dict[str, Json] = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object"}},
}
END = {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}


def request_body(options: Options) -> Any:
    """Return the body of a request."""
    return json.loads(Cohere().request(Prompt((Message("user", "hi"),)), options, ENDPOINT, stream=True).body)


def read(*documents: Any, event: str = "message") -> list[Event]:
    """Return the events of these messages."""
    reader = CohereReader()
    return [e for document in documents for e in reader.read(WireMessage(event, json.dumps(document)))]


def content(**part: str) -> Any:
    """Return a delta of content."""
    return {"type": "content-delta", "index": 0, "delta": {"message": {"content": part}}}


def test_a_request_goes_to_version_2() -> None:
    request = Cohere().request(Prompt((Message("user", "hi"),)), Options(), ENDPOINT, stream=True)
    assert request.url == "https://api.cohere.com/v2/chat"
    assert request.headers["authorization"] == "Bearer co-key"
    assert request.framing == "sse"
    assert json.loads(request.body) == {
        "model": "command-a", "messages": [{"role": "user", "content": "hi"}], "stream": True,
    }  # fmt: skip


def test_options_have_the_names_of_the_api() -> None:
    options = Options(
        temperature=0.5, max_tokens=9, top_p=0.9, top_k=4, stop=("a", "b"), seed=1, tools=(TOOL,),
        tool_choice="required", schema={"type": "object"}, reasoning_effort="none",
        extra={"safety_mode": "OFF"},
    )  # fmt: skip
    sent = request_body(options)
    del sent["messages"], sent["model"], sent["stream"]
    assert sent == {
        "temperature": 0.5, "max_tokens": 9, "p": 0.9, "k": 4, "stop_sequences": ["a", "b"], "seed": 1,
        "tools": [TOOL], "tool_choice": "REQUIRED", "thinking": {"type": "disabled"}, "safety_mode": "OFF",
        "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
    }  # fmt: skip


def test_what_it_can_not_take_is_said() -> None:
    attachments = (Attachment("image/png", b"x"), Attachment("application/pdf", b"y", name="a.pdf"))
    prompt = Prompt((Message("user", "look", attachments),))
    options = Options(tool_choice="weather", reasoning_effort="high")
    request = Cohere().request(prompt, options, ENDPOINT, stream=True)
    assert len(request.notices) == 3
    assert "a.pdf" in request.notices[0]
    sent = json.loads(request.body)
    assert [part["type"] for part in sent["messages"][0]["content"]] == ["text", "image_url"]
    assert sent["thinking"] == {"type": "enabled"}
    assert "tool_choice" not in sent


def test_deltas_of_each_kind() -> None:
    call = {"id": "w1", "function": {"name": "weather", "arguments": ""}}
    more = {"function": {"arguments": "{}"}}
    found = read(
        {"type": "message-start", "delta": {}},
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I will"}}},
        content(thinking="hm"),
        content(text="0"),
        {"type": "tool-call-start", "index": 2, "delta": {"message": {"tool_calls": call}}},
        {"type": "tool-call-delta", "index": 2, "delta": {"message": {"tool_calls": more}}},
        {"type": "something-new"},
        END,
    )
    assert found == [
        ReasoningDelta("I will"), ReasoningDelta("hm"), TextDelta("0"), ToolCallDelta(0, "w1", "weather", ""),
        ToolCallDelta(0, None, None, "{}"), Finish("stop", "COMPLETE"),
    ]  # fmt: skip


def test_tokens_are_reported_and_not_billed_units() -> None:
    usage = {
        "billed_units": {"input_tokens": 1, "output_tokens": 1}, "cached_tokens": 3,
        "tokens": {"input_tokens": 9, "output_tokens": 8, "reasoning_tokens": 2},
    }  # fmt: skip
    found = read({"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS", "usage": usage}})
    assert found == [Usage(9, 8, None, 2, 3), Finish("length", "MAX_TOKENS")]


def test_the_answer_is_finished_before_its_end_mark() -> None:
    reader = CohereReader()
    list(reader.read(WireMessage("message-end", json.dumps(END))))
    assert (reader.finished, reader.done) == (True, False)
    list(reader.read(WireMessage("message", "[DONE]")))
    assert reader.done


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ({"finish_reason": "ERROR", "error": "it broke"}, Unavailable),
        ({"finish_reason": "TIMEOUT"}, Unavailable),
        ({"finish_reason": "ERROR_LIMIT"}, ContextTooLong),
    ],
)
def test_a_finish_reason_can_be_a_failure(end: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised:
        read(content(text="a"), {"type": "message-end", "delta": end})
    assert end.get("error", "") in str(raised.value)


def test_a_message_without_a_type_is_an_error() -> None:
    with pytest.raises(ProviderError, match="no more"):
        read({"message": "no more"})


def test_a_whole_answer_is_read() -> None:
    call = {"id": "w1", "type": "function", "function": {"name": "weather", "arguments": '{"a":1}'}}
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hi"}]
    message = {"role": "assistant", "content": parts, "tool_plan": "plan", "tool_calls": [call]}
    usage = {"tokens": {"input_tokens": 1, "output_tokens": 2}}
    found = read({"id": "x", "finish_reason": "TOOL_CALL", "message": message, "usage": usage}, event="whole")
    assert found == [
        ReasoningDelta("plan"), ReasoningDelta("hm"), TextDelta("hi"),
        ToolCallDelta(0, "w1", "weather", '{"a":1}'), Usage(1, 2), Finish("tool_calls", "TOOL_CALL"),
    ]  # fmt: skip


def test_version_1_gives_calls_whole_and_without_ids() -> None:
    calls = [{"name": "weather", "parameters": {"city": "Paris"}}, {"name": "time", "parameters": {}}]
    found = read(
        {"event_type": "stream-start"},
        {"event_type": "tool-calls-generation", "tool_calls": calls},
        {"event_type": "stream-end", "finish_reason": "COMPLETE"},
    )
    assert found == [
        ToolCallDelta(0, None, "weather", '{"city": "Paris"}'),
        ToolCallDelta(1, None, "time", "{}"),
        Finish("stop", "COMPLETE"),
    ]


def test_models_are_those_that_chat() -> None:
    adapter = Cohere()
    assert adapter.models_url(ENDPOINT) == "https://api.cohere.com/v1/models?endpoint=chat&page_size=1000"
    assert adapter.models({"models": [{"name": "command-a"}, {}]}) == ["command-a"]
