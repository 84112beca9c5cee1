"""OpenAI's responses API: what is asked for, and what its events mean."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_native_recordings import FOLDER, expected, pieces, summary

from llmstream.adapters.openai_responses import OpenAIResponses
from llmstream.adapters.openai_responses_reader import ResponsesReader
from llmstream.engine.attempt import MALFORMED
from llmstream.errors import LLMStreamError, ProviderError, RequestRefused, Unavailable
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Attachment, Endpoint, Json, Message, Options, Prompt, Secret, ToolCall
from llmstream.wire import decoder
from llmstream.wire.message import WireMessage

ENDPOINT = Endpoint("openai", "gpt-5", "https://o.example/v1", Secret("sk-key"))
HELLO = Prompt((Message("user", "hi"),))
TOOL: dict[str, Json] = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object"}},
}
RECORDINGS = sorted(path.with_suffix("") for path in (FOLDER / "openai-responses").glob("*.body"))
ANSWERS = [path for path in RECORDINGS if "-error-40" not in path.name]
DONE = {"type": "response.completed", "response": {"status": "completed"}}


def request_body(prompt: Prompt = HELLO, **options: Any) -> Any:
    """Return the body of a request."""
    return json.loads(OpenAIResponses().request(prompt, Options(**options), ENDPOINT, stream=True).body)


def read(*documents: Any, event: str = "message") -> list[Event]:
    """Return the events of these messages."""
    reader = ResponsesReader()
    return [e for document in documents for e in reader.read(WireMessage(event, json.dumps(document)))]


def item(state: str, place: int, **fields: Any) -> Any:
    """Return the event with which an item begins or ends."""
    return {"type": f"response.output_item.{state}", "output_index": place, "item": fields}


def delta(of: str, text: str, **places: int) -> Any:
    """Return a delta."""
    return {"type": f"response.{of}.delta", "delta": text, **places}


def test_a_request_keeps_nothing_at_the_provider() -> None:
    request = OpenAIResponses().request(HELLO, Options(), ENDPOINT, stream=True)
    assert request.url == "https://o.example/v1/responses"
    assert request.headers["authorization"] == "Bearer sk-key"
    assert request.framing == "sse"
    assert json.loads(request.body) == {
        "model": "gpt-5", "input": [{"role": "user", "content": "hi"}], "stream": True, "store": False,
    }  # fmt: skip
    assert OpenAIResponses().request(HELLO, Options(), ENDPOINT, stream=False).framing == "whole"


def test_options_have_the_names_of_the_api() -> None:
    sent = request_body(
        Prompt((Message("system", "be brief"), Message("user", "hi"))),
        temperature=0, max_tokens=9, top_p=0.9, reasoning_effort="low",
        schema={"type": "object"}, tools=(TOOL, {"type": "web_search"}),
        tool_choice="weather", extra={"user": "me"},
    )  # fmt: skip
    del sent["model"], sent["input"], sent["stream"], sent["store"]
    schema = {"type": "json_schema", "name": "answer", "schema": {"type": "object"}, "strict": True}
    function = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}
    assert sent == {
        "instructions": "be brief", "temperature": 0, "max_output_tokens": 9, "top_p": 0.9, "user": "me",
        "reasoning": {"effort": "low", "summary": "auto"}, "text": {"format": schema},
        "tools": [function, {"type": "web_search"}], "tool_choice": {"type": "function", "name": "weather"},
    }  # fmt: skip
    assert request_body(reasoning_effort="none")["reasoning"] == {"effort": "none"}
    assert request_body(tool_choice="required")["tool_choice"] == "required"


def test_what_it_can_not_take_is_said() -> None:
    prompt = Prompt((Message("user", "hear", (Attachment("audio/wav", b"x", name="a.wav"),)),))
    options = Options(top_k=4, stop=("a",), seed=1, frequency_penalty=0.1, presence_penalty=0.2)
    request = OpenAIResponses().request(prompt, options, ENDPOINT, stream=True)
    assert len(request.notices) == 6
    assert "a.wav" in request.notices[5]
    sent = json.loads(request.body)
    assert sent["input"] == [{"role": "user", "content": "hear"}]
    assert sent.keys() == {"model", "input", "stream", "store"}


def test_attachments_are_parts() -> None:
    attachments = (
        Attachment("image/png", b"x"),
        Attachment("application/pdf", b"y", name="a.pdf"),
        Attachment("application/pdf", url="https://h/b.pdf"),
    )
    assert request_body(Prompt((Message("user", "look", attachments),)))["input"][0]["content"] == [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": "data:image/png;base64,eA=="},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,eQ=="},
        {"type": "input_file", "file_url": "https://h/b.pdf"},
    ]


def test_calls_and_their_results_are_items() -> None:
    calls = (ToolCall(0, "c1", "weather", '{"a":1}'), ToolCall(1, None, "time", ""))
    prompt = Prompt(
        (
            Message("assistant", "wait", tool_calls=calls),
            Message("assistant", "", tool_calls=calls[:1]),
            Message("tool", "blue", tool_call_id="c1"),
        )
    )
    weather = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"a":1}'}
    assert request_body(prompt)["input"] == [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "wait"}]},
        weather,
        {"type": "function_call", "call_id": "call_1", "name": "time", "arguments": "{}"},
        weather,
        {"type": "function_call_output", "call_id": "c1", "output": "blue"},
    ]


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        ("must be verified to generate reasoning summaries", "summary"),
        ("Unknown parameter: 'store'", "store"),
    ],
)
def test_what_a_server_refuses_is_left_out(message: str, missing: str) -> None:
    adapter = OpenAIResponses()
    request = adapter.request(HELLO, Options(reasoning_effort="low"), ENDPOINT, stream=True)
    revised = adapter.revise(request, RequestRefused(message, status=400))
    assert revised is not None
    assert f'"{missing}"' in request.body.decode()
    assert f'"{missing}"' not in revised.body.decode()
    assert b'"effort":"low"' in revised.body
    assert adapter.revise(request, RequestRefused("no such model", status=400)) is None


def test_deltas_of_each_kind() -> None:
    found = read(
        {"type": "response.created", "response": {"status": "in_progress", "error": None}},
        delta("reasoning_summary_text", "hm", output_index=0, summary_index=0),
        delta("reasoning_summary_text", "m", output_index=0, summary_index=0),
        delta("reasoning_summary_text", "so", output_index=0, summary_index=1),
        delta("output_text", "0", output_index=1),
        delta("refusal", "no", output_index=1),
        item("added", 2, type="function_call", id="f", call_id="c", name="weather", arguments=""),
        delta("function_call_arguments", "{", output_index=2),
        delta("function_call_arguments", "}", output_index=2),
        {"type": "response.function_call_arguments.done", "output_index": 2, "arguments": "{}"},
        item("done", 2, type="function_call", call_id="c", name="weather", arguments="{}"),
        DONE,
    )
    assert found == [
        ReasoningDelta("hm"), ReasoningDelta("m"), ReasoningDelta("\n\nso"), TextDelta("0"), TextDelta("no"),
        ToolCallDelta(0, "c", "weather", ""), ToolCallDelta(0, None, None, "{"),
        ToolCallDelta(0, None, None, "}"), Finish("tool_calls", "completed"),
    ]  # fmt: skip


def test_arguments_may_come_at_the_end_only() -> None:
    done = {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": "{}"}
    began = item("added", 0, type="function_call", call_id="c", name="a", arguments="")
    ended = item("done", 0, type="function_call", call_id="c", name="a", arguments="{}")
    wanted = [ToolCallDelta(0, "c", "a", ""), ToolCallDelta(0, None, None, "{}")]
    assert read(began, done, ended) == wanted
    assert read(began, ended) == wanted
    assert read(delta("function_call_arguments", "{}", output_index=0), ended) == wanted


def test_items_that_the_server_runs_are_no_calls() -> None:
    for kind in ("mcp_call", "web_search_call", "code_interpreter_call", "message"):
        assert read(item("added", 0, type=kind, name="x"), item("done", 0, type=kind, arguments="{}")) == []


def test_a_free_text_tool_has_its_input_as_arguments() -> None:
    found = read(
        item("added", 0, type="custom_tool_call", call_id="c", name="sql", input=""),
        delta("custom_tool_call_input", "SELECT", output_index=0),
        {"type": "response.custom_tool_call_input.done", "output_index": 0, "input": "SELECT"},
    )
    assert found == [ToolCallDelta(0, "c", "sql", ""), ToolCallDelta(0, None, None, "SELECT")]


@pytest.mark.parametrize(
    ("why", "reason"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("new", "unknown")],
)
def test_an_incomplete_answer_says_why(why: str, reason: str) -> None:
    response = {"status": "incomplete", "incomplete_details": {"reason": why}}
    assert read({"type": "response.incomplete", "response": response}) == [Finish(reason, why)]  # type: ignore[arg-type]


def test_usage_has_its_details_and_cost() -> None:
    usage = {
        "input_tokens": 9, "output_tokens": 5, "total_tokens": 14, "cost": 0.5,
        "input_tokens_details": {"cached_tokens": 2}, "output_tokens_details": {"reasoning_tokens": 3},
    }  # fmt: skip
    found = read({"type": "response.completed", "response": {"usage": usage}})
    assert found == [Usage(9, 5, 14, 3, 2, 0.5), Finish("stop", "completed")]


@pytest.mark.parametrize(
    "document",
    [
        {"type": "error", "code": "server_error", "message": "it broke", "param": None},
        {"type": "error", "error": {"type": "server_error", "message": "it broke"}},
        {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "it broke"}}},
        {"error": {"code": 500, "message": "it broke"}},
    ],
)
def test_a_failure_after_a_friendly_status_is_one(document: Any) -> None:
    with pytest.raises(Unavailable, match="it broke"):
        read(document)


def test_a_document_of_another_kind_is_a_failure() -> None:
    for event in ("error", "whole", "bare"):
        with pytest.raises(ProviderError, match="no such path"):
            read({"detail": "no such path"}, event=event)


def test_a_whole_answer_is_read() -> None:
    parts = [{"type": "output_text", "text": "hi"}, {"type": "refusal", "refusal": "no"}]
    thinking = {"type": "reasoning", "summary": [{"text": "hm"}, {"text": "so"}], "content": None}
    call = {"type": "function_call", "call_id": "c", "name": "a", "arguments": "{}"}
    output = [thinking, {"type": "message", "content": parts}, {"type": "web_search_call"}, call]
    answer = {"object": "response", "status": "completed", "error": None, "output": output}
    wanted = [
        ReasoningDelta("hm"), ReasoningDelta("\n\nso"), TextDelta("hi"), TextDelta("no"),
        ToolCallDelta(0, "c", "a", ""), ToolCallDelta(0, None, None, "{}"), Finish("tool_calls", "completed"),
    ]  # fmt: skip
    assert read(answer, event="whole") == wanted
    # and so is a stream that has nothing but its end
    assert read({"type": "response.completed", "response": answer}) == wanted
    assert read(delta("output_text", "hi"), {"type": "response.completed", "response": answer}) == [
        TextDelta("hi"),
        *(event for event in wanted if event != TextDelta("hi")),
    ]


def test_the_last_event_is_the_end_mark() -> None:
    for data in ("[DONE]", json.dumps(DONE)):
        reader = ResponsesReader()
        list(reader.read(WireMessage("message", data)))
        assert reader.done


@pytest.mark.parametrize("cutting", ["whole", "bytes", "pieces"])
@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: str(path.name))
def test_a_recorded_answer_is_understood_however_it_is_cut(path: Path, cutting: str) -> None:
    wanted, failure, reader = expected(path), "", ResponsesReader()
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
    found_summary = summary(found)
    assert found_summary == {name: wanted[name] for name in found_summary}


def test_a_recorded_refusal_says_what_the_provider_said() -> None:
    path = FOLDER / "openai-responses" / "openai-error-401"
    error = OpenAIResponses().error(401, {}, path.with_suffix(".body").read_bytes())
    assert expected(path)["error"] in error.message


NAMES = st.sampled_from(
    ["type", "item", "response", "output_index", "delta", "arguments", "output", "usage", "error", "status",
     "content", "summary", "text", "name", "call_id", "object", "incomplete_details", "reason"]
)  # fmt: skip
KINDS = st.sampled_from(
    ["response.output_text.delta", "response.reasoning_text.delta", "response.output_item.added",
     "response.output_item.done", "response.function_call_arguments.delta", "response.completed",
     "response.incomplete", "response.failed", "error", "function_call", "message", "reasoning", "response"]
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
EVENTS = st.dictionaries(NAMES, ANY_JSON, max_size=5)


@given(
    st.builds(lambda kind, fields: json.dumps({**fields, "type": kind}), KINDS, EVENTS)
    | ANY_JSON.map(json.dumps),
    st.sampled_from(["message", "whole", "bare", "error"]),
)
def test_any_message_is_read_or_refused(data: str, event: str) -> None:
    reader = ResponsesReader()
    with contextlib.suppress(LLMStreamError, *MALFORMED):
        list(
            reader.read(WireMessage("message", json.dumps(item("added", 0, type="function_call", name="a"))))
        )
        list(reader.read(WireMessage(event, data)))
