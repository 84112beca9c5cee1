"""Anthropic's messages API: what is asked for, and what its events mean."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_native_recordings import FOLDER, expected, pieces, summary

from llmstream.adapters.anthropic import Anthropic
from llmstream.adapters.anthropic_reader import AnthropicReader
from llmstream.engine.attempt import MALFORMED
from llmstream.errors import LLMStreamError, ProviderError, RequestRefused, Unavailable
from llmstream.events import Event, Finish, Notice, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Attachment, Endpoint, Json, Message, Options, Prompt, Secret, ToolCall
from llmstream.record import replace
from llmstream.wire import decoder
from llmstream.wire.message import WireMessage

ENDPOINT = Endpoint("anthropic", "claude-x", "https://a.example", Secret("sk-key"))
HELLO = Prompt((Message("user", "hi"),))
TOOL: dict[str, Json] = {
    "type": "function",
    "function": {"name": "weather", "description": "of a city", "parameters": {"type": "object"}},
}
RECORDINGS = sorted(path.with_suffix("") for path in (FOLDER / "anthropic").glob("*.body"))
ANSWERS = [path for path in RECORDINGS if not path.name.startswith("error-")]
REFUSALS = [path for path in RECORDINGS if path.name.startswith("error-")]
ADAPTIVE = {"type": "adaptive", "display": "summarized"}


def request_body(prompt: Prompt = HELLO, **options: Any) -> Any:
    """Return the body of a request."""
    return json.loads(Anthropic().request(prompt, Options(**options), ENDPOINT, stream=True).body)


def revised_body(refusal: str, **options: Any) -> Any:
    """Return the body of the request after a refusal with status 400, None if it stands."""
    adapter = Anthropic()
    request = adapter.request(HELLO, Options(**options), ENDPOINT, stream=True)
    revised = adapter.revise(request, RequestRefused(refusal, status=400))
    return revised and json.loads(revised.body)


def read(*documents: Any, event: str = "message") -> list[Event]:
    """Return the events of these messages."""
    reader = AnthropicReader()
    return [e for document in documents for e in reader.read(WireMessage(event, json.dumps(document)))]


def began(index: int, **block: Any) -> Any:
    """Return the event with which a block begins."""
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, **fields: str) -> Any:
    """Return a block's delta."""
    return {"type": "content_block_delta", "index": index, "delta": fields}


def ended(reason: str, usage: Any = None, **fields: Any) -> Any:
    """Return the event with the stop reason."""
    return {"type": "message_delta", "delta": {"stop_reason": reason, **fields}, "usage": usage}


def test_a_request_has_the_key_and_the_version_in_headers() -> None:
    request = Anthropic().request(HELLO, Options(), ENDPOINT, stream=True)
    assert request.url == "https://a.example/v1/messages"
    assert request.headers["x-api-key"] == "sk-key"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in request.headers
    assert request.framing == "sse"
    assert json.loads(request.body) == {
        "model": "claude-x", "max_tokens": 4096, "stream": True,
        "messages": [{"role": "user", "content": "hi"}],
    }  # fmt: skip
    assert Anthropic().request(HELLO, Options(), ENDPOINT, stream=False).framing == "whole"


def test_a_version_in_the_address_is_not_doubled() -> None:
    endpoint = replace(ENDPOINT, base_url="https://a.example/v1")
    assert Anthropic().request(HELLO, Options(), endpoint, stream=True).url == "https://a.example/v1/messages"
    assert Anthropic().models_url(endpoint) == "https://a.example/v1/models?limit=1000"


def test_options_have_the_names_of_the_api() -> None:
    sent = request_body(
        Prompt((Message("system", "be brief"), Message("user", "hi"))),
        temperature=0, max_tokens=9, top_p=0.9, top_k=4, stop=("a",),
        tools=(TOOL, {"type": "web_search_20250305"}),
        tool_choice="weather", schema={"type": "object"}, extra={"metadata": {"user_id": "me"}},
    )  # fmt: skip
    del sent["model"], sent["messages"], sent["stream"]
    function = {"name": "weather", "description": "of a city", "input_schema": {"type": "object"}}
    assert sent == {
        "system": "be brief", "temperature": 0, "max_tokens": 9, "top_p": 0.9, "top_k": 4,
        "stop_sequences": ["a"], "tools": [function, {"type": "web_search_20250305"}],
        "tool_choice": {"type": "tool", "name": "weather"}, "metadata": {"user_id": "me"},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
    }  # fmt: skip
    assert request_body(tool_choice="required")["tool_choice"] == {"type": "any"}


def test_what_it_can_not_take_is_said() -> None:
    prompt = Prompt((Message("user", "hear", (Attachment("audio/wav", b"x", name="a.wav"),)),))
    options = Options(seed=1, frequency_penalty=0.1, presence_penalty=0.2, reasoning_effort="huge")
    request = Anthropic().request(prompt, options, ENDPOINT, stream=True)
    assert len(request.notices) == 5
    assert "'huge'" in request.notices[3]
    assert "a.wav" in request.notices[4]
    assert json.loads(request.body).keys() == {"model", "max_tokens", "messages", "stream"}


def test_thinking_is_asked_for_in_the_way_of_newer_models() -> None:
    sent = request_body(reasoning_effort="high", schema={"type": "object"})
    assert sent["thinking"] == ADAPTIVE
    assert sent["output_config"].keys() == {"effort", "format"}
    assert sent["output_config"]["effort"] == "high"
    # the limit counts thinking, too
    assert sent["max_tokens"] > 24576
    assert request_body(reasoning_effort="high", max_tokens=99)["max_tokens"] == 99
    assert request_body(reasoning_effort="none")["thinking"] == {"type": "disabled"}
    assert request_body(reasoning_effort="low", extra={"output_config": {"a": 1}})["output_config"] == {
        "effort": "low", "a": 1,
    }  # fmt: skip


def test_what_thinking_excludes_is_left_out_and_said() -> None:
    options = Options(temperature=0, top_k=4, top_p=0.95, reasoning_effort="minimal")
    request = Anthropic().request(HELLO, options, ENDPOINT, stream=True)
    sent = json.loads(request.body)
    assert sent["output_config"] == {"effort": "low"}
    assert "top_p" in sent
    assert not sent.keys() & {"temperature", "top_k"}
    assert len(request.notices) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        "400 Bad Request: adaptive thinking is not supported on this model",
        "400 Bad Request: This model does not support the effort parameter.",
        "400 Bad Request: output_config: Extra inputs are not permitted",
    ],
)
def test_an_older_model_gets_a_budget_for_its_thinking(refusal: str) -> None:
    sent = revised_body(refusal, reasoning_effort="medium")
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 8192}
    assert sent["max_tokens"] > 8192
    assert "output_config" not in sent
    sent = revised_body(refusal, reasoning_effort="medium", max_tokens=4000, schema={"type": "object"})
    assert sent["thinking"]["budget_tokens"] < sent["max_tokens"] == 4000
    assert sent["output_config"].keys() == {"format"}


def test_a_model_that_always_thinks_is_not_told_not_to() -> None:
    refusal = '400 Bad Request: "thinking.type.disabled" is not supported for this model.'
    assert "thinking" not in revised_body(refusal, reasoning_effort="none")


def test_other_refusals_stand() -> None:
    assert revised_body("400 Bad Request: max_tokens: too large", reasoning_effort="low") is None
    assert revised_body("400 Bad Request: adaptive thinking is not supported on this model") is None
    adapter = Anthropic()
    request = adapter.request(HELLO, Options(reasoning_effort="low"), ENDPOINT, stream=True)
    assert adapter.revise(request, Unavailable("adaptive", status=529)) is None


def test_attachments_are_blocks_before_the_text() -> None:
    attachments = (
        Attachment("image/png", b"x"),
        Attachment("image/png", url="https://h/i.png"),
        Attachment("application/pdf", b"y", name="a.pdf"),
    )
    content = request_body(Prompt((Message("user", "look", attachments),)))["messages"][0]["content"]
    png = {"type": "base64", "media_type": "image/png", "data": "eA=="}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "eQ=="}
    assert content == [
        {"type": "image", "source": png},
        {"type": "image", "source": {"type": "url", "url": "https://h/i.png"}},
        {"type": "document", "source": pdf},
        {"type": "text", "text": "look"},
    ]


def test_calls_and_their_results_are_blocks() -> None:
    calls = (ToolCall(0, "c1", "weather", '{"a":1}'), ToolCall(1, None, "time", ""))
    prompt = Prompt(
        (Message("assistant", "wait", tool_calls=calls), Message("tool", "blue", tool_call_id="c1"))
    )
    assistant, result = request_body(prompt)["messages"]
    assert assistant["content"] == [
        {"type": "text", "text": "wait"},
        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"a": 1}},
        {"type": "tool_use", "id": "call_1", "name": "time", "input": {}},
    ]
    assert result["role"] == "user"
    assert result["content"] == [{"type": "tool_result", "tool_use_id": "c1", "content": "blue"}]


def test_deltas_of_each_kind() -> None:
    found = read(
        {"type": "message_start", "message": {"usage": None}},
        began(0, type="thinking", thinking="", signature=""),
        {"type": "ping"},
        delta(0, type="thinking_delta", thinking="hm"),
        delta(0, type="signature_delta", signature="x"),
        began(1, type="redacted_thinking", data="x"),
        began(2, type="text", text=""),
        delta(2, type="text_delta", text="0"),
        delta(2, type="something_new", text="1"),
        began(3, type="tool_use", id="t", name="weather", input={}),
        delta(3, type="input_json_delta", partial_json=""),
        delta(3, type="input_json_delta", partial_json='{"a":'),
        delta(3, type="input_json_delta", partial_json="1}"),
        {"type": "something_new"},
        ended("tool_use"),
    )
    assert found == [
        ReasoningDelta("hm"), TextDelta("0"), ToolCallDelta(0, "t", "weather", ""),
        ToolCallDelta(0, None, None, '{"a":'), ToolCallDelta(0, None, None, "1}"),
        Finish("tool_calls", "tool_use"),
    ]  # fmt: skip


def test_tools_that_the_provider_runs_are_no_calls() -> None:
    found = read(
        began(0, type="server_tool_use", id="s", name="web_search", input={}),
        delta(0, type="input_json_delta", partial_json='{"query": "x"}'),
        began(1, type="mcp_tool_use", id="m", name="ask", input={}),
        began(2, type="tool_use", id="t", name="weather", input={}),
    )
    assert found == [ToolCallDelta(0, "t", "weather", "")]


def test_usage_is_cumulative_has_the_cache_and_nulls_change_nothing() -> None:
    cache = {"cache_read_input_tokens": 3, "cache_creation_input_tokens": 40}
    start = {"input_tokens": 5, "output_tokens": 1, **cache}
    end = {
        "input_tokens": None, "output_tokens": 9, "cache_read_input_tokens": None,
        "output_tokens_details": {"thinking_tokens": 4},
    }  # fmt: skip
    found = read({"type": "message_start", "message": {"usage": start}}, ended("end_turn", end))
    assert found == [
        Usage(48, 1, cached_tokens=3),
        Finish("stop", "end_turn"),
        Usage(48, 9, reasoning_tokens=4, cached_tokens=3),
    ]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop_sequence", "stop"), ("max_tokens", "length"), ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"), ("something_new", "unknown"),
    ],
)  # fmt: skip
def test_stop_reasons(raw: str, reason: str) -> None:
    assert read(ended(raw)) == [Finish(reason, raw)]  # type: ignore[arg-type]  # reason is one of them


def test_a_refusal_is_explained() -> None:
    found = read(ended("refusal", stop_details={"type": "refusal", "explanation": "against the policy"}))
    assert found == [Notice("against the policy"), Finish("content_filter", "refusal")]


def test_a_whole_answer_is_read() -> None:
    content = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "hi"},
        {"type": "tool_use", "id": "t", "name": "weather", "input": {"a": "ü"}},
    ]
    usage = {"input_tokens": 1, "output_tokens": 2}
    answer = {"type": "message", "content": content, "stop_reason": "tool_use", "usage": usage}
    assert read(answer, event="whole") == [
        ReasoningDelta("hm"), TextDelta("hi"), ToolCallDelta(0, "t", "weather", '{"a": "ü"}'),
        Finish("tool_calls", "tool_use"), Usage(1, 2),
    ]  # fmt: skip


def test_a_failure_after_a_friendly_status_is_one() -> None:
    for kind in ("overloaded_error", "api_error"):
        with pytest.raises(Unavailable, match="it broke"):
            read({"type": "error", "error": {"type": kind, "message": "it broke"}}, event="error")
    with pytest.raises(RequestRefused, match="it broke"):
        read({"error": {"type": "invalid_request_error", "message": "it broke"}})


def test_a_document_of_another_kind_is_a_failure() -> None:
    for event in ("error", "whole", "bare"):
        with pytest.raises(ProviderError, match="no such path"):
            read({"detail": "no such path"}, event=event)


def test_the_last_event_is_the_end_mark() -> None:
    # OpenRouter's own mark comes with the event name "data"
    for data in ('{"type": "message_stop"    }', "[DONE]"):
        reader = AnthropicReader()
        assert list(reader.read(WireMessage("data", data))) == []
        assert reader.done


def test_models_are_ids() -> None:
    assert Anthropic().models({"data": [{"id": "claude-x", "type": "model"}, {}], "has_more": False}) == [
        "claude-x"
    ]


@pytest.mark.parametrize("cutting", ["whole", "bytes", "pieces"])
@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: str(path.name))
def test_a_recorded_answer_is_understood_however_it_is_cut(path: Path, cutting: str) -> None:
    wanted, failure, reader = expected(path), "", AnthropicReader()
    found: list[Event] = []
    wire = decoder("sse", wanted["content_type"])
    try:
        for data in (*pieces(path.with_suffix(".body").read_bytes(), cutting), b""):
            for message in wire.feed(data) if data else wire.close():
                found += reader.read(message)
    except ProviderError as error:
        failure = error.message
    assert (wanted["error"] or "") in failure
    assert bool(wanted["error"]) == bool(failure)
    assert reader.done == (not failure)
    assert summary(found) == {name: wanted[name] for name in summary([])}


@pytest.mark.parametrize("path", REFUSALS, ids=lambda path: str(path.name))
def test_a_recorded_refusal_says_what_the_provider_said(path: Path) -> None:
    wanted = expected(path)
    error = Anthropic().error(wanted["status"], wanted["headers"], path.with_suffix(".body").read_bytes())
    assert wanted["error"] in error.message
    assert error.retryable == (wanted["status"] == 529)


NAMES = st.sampled_from(
    ["type", "index", "delta", "content_block", "message", "content", "usage", "error", "stop_reason", "text",
     "thinking", "partial_json", "input", "name", "id", "stop_details", "output_tokens",
     "output_tokens_details"]
)  # fmt: skip
KINDS = st.sampled_from(
    ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
     "message_stop", "ping", "error", "message", "text", "thinking", "tool_use", "text_delta",
     "thinking_delta", "input_json_delta"]
)  # fmt: skip
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | KINDS
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(), inner, max_size=5),
)


@given(
    st.builds(
        lambda kind, fields: json.dumps({**fields, "type": kind}),
        KINDS,
        st.dictionaries(NAMES, ANY_JSON, max_size=5),
    )
    | ANY_JSON.map(json.dumps)
    | st.text(),
    st.sampled_from(["message", "whole", "bare", "error"]),
)
def test_any_message_is_read_or_refused(data: str, event: str) -> None:
    reader = AnthropicReader()
    list(
        reader.read(WireMessage("message", json.dumps(began(0, type="tool_use", id="t", name="a", input={}))))
    )
    with contextlib.suppress(LLMStreamError, *MALFORMED):
        list(reader.read(WireMessage(event, data)))
