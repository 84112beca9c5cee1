"""OpenAI's chat completions and the many imitations: what is asked for, and what their chunks mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_native_recordings import FOLDER, expected, pieces, summary

from llmstream.adapters.openai_chat import ChatReader, OpenAIChat
from llmstream.engine.meter import Meter
from llmstream.errors import BadMessage, ContextTooLong, ProviderError, RequestRefused, Unavailable
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Attachment, Endpoint, Json, Message, Options, Prompt, Secret, ToolCall
from llmstream.wire import decoder
from llmstream.wire.message import WireMessage

ENDPOINT = Endpoint("acme", "m1", "https://acme.test/v1", Secret("sk-key"))
HELLO = Prompt((Message("user", "hi"),))
TOOL: dict[str, Json] = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object"}},
}
RECORDINGS = sorted(path.with_suffix("") for path in (FOLDER / "openai-chat").glob("*.body"))
ANSWERS = [path for path in RECORDINGS if expected(path)["status"] == 200]


def body(prompt: Prompt = HELLO, endpoint: Endpoint = ENDPOINT, **options: Any) -> Any:
    """Return the body of a request."""
    return json.loads(OpenAIChat().request(prompt, Options(**options), endpoint, stream=True).body)


def read(*documents: Any, event: str = "message") -> list[Event]:
    """Return the events of these messages."""
    reader = ChatReader()
    return [e for document in documents for e in reader.read(WireMessage(event, json.dumps(document)))]


def chunk(finish: str | None = None, **delta: Any) -> Any:
    """Return one chunk."""
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def call(**fields: Any) -> Any:
    """Return a chunk with a piece of a tool call."""
    return chunk(tool_calls=[fields])


def test_a_request_is_a_post_with_a_bearer_token() -> None:
    request = OpenAIChat().request(HELLO, Options(), ENDPOINT, stream=True)
    assert (request.method, request.url) == ("POST", "https://acme.test/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer sk-key"
    assert request.framing == "sse"
    assert json.loads(request.body) == {
        "model": "m1", "messages": [{"role": "user", "content": "hi"}], "stream": True,
        "stream_options": {"include_usage": True},
    }  # fmt: skip


def test_a_whole_answer_is_asked_for_without_stream_options() -> None:
    request = OpenAIChat().request(HELLO, Options(), ENDPOINT, stream=False)
    assert request.framing == "whole"
    assert "stream_options" not in json.loads(request.body)


def test_without_a_key_no_key_is_sent_and_own_headers_are() -> None:
    endpoint = Endpoint("p", "m", "http://h", headers={"x-team": "search"})
    headers = OpenAIChat().request(HELLO, Options(), endpoint, stream=True).headers
    assert "authorization" not in headers
    assert headers["x-team"] == "search"


def test_options_have_openais_names() -> None:
    sent = body(temperature=0, max_tokens=9, top_p=0.5, stop=("a", "b"), seed=7, reasoning_effort="low")
    wanted = {"temperature": 0, "max_tokens": 9, "top_p": 0.5, "stop": ["a", "b"], "seed": 7}
    assert sent.items() >= {**wanted, "reasoning_effort": "low"}.items()


def test_extra_options_and_the_endpoints_extra_body_go_as_they_are() -> None:
    endpoint = Endpoint(
        "p", "m", "http://h", extra_body={"top_k": 40}, quirks=frozenset({"no-stream-options"})
    )
    sent = body(endpoint=endpoint, extra={"min_p": 0.1})
    assert (sent["top_k"], sent["min_p"]) == (40, 0.1)
    assert "stream_options" not in sent


@pytest.mark.parametrize(
    ("choice", "said"),
    [("auto", "auto"), ("weather", {"type": "function", "function": {"name": "weather"}})],
)
def test_tools_and_their_choice(choice: str, said: object) -> None:
    sent = body(tools=(TOOL,), tool_choice=choice)
    assert (sent["tools"], sent["tool_choice"]) == ([TOOL], said)


def test_a_schema_is_a_strict_response_format() -> None:
    wanted = {"name": "answer", "schema": {"type": "object"}, "strict": True}
    assert body(schema={"type": "object"})["response_format"] == {
        "type": "json_schema",
        "json_schema": wanted,
    }


def test_a_conversation_with_tool_calls_and_attachments() -> None:
    picture = Attachment("image/png", b"\x00\x01")
    sound = Attachment("audio/mpeg", b"\x02")
    paper = Attachment("application/pdf", b"%PDF", name="a.pdf")
    prompt = Prompt((
        Message("system", "be brief"), Message("user", "look", (picture, sound, paper)),
        Message("assistant", "", tool_calls=(ToolCall(0, "c1", "weather", "{}"),)),
        Message("tool", "15", tool_call_id="c1"),
    ))  # fmt: skip
    sent = body(prompt)["messages"]
    kinds = [part["type"] for part in sent[1]["content"]]
    assert kinds == ["text", "image_url", "input_audio", "file"]
    assert sent[1]["content"][1]["image_url"]["url"] == "data:image/png;base64,AAE="
    assert sent[1]["content"][2]["input_audio"] == {"data": "Ag==", "format": "mp3"}
    assert sent[2]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    ]
    assert sent[3] == {"role": "tool", "content": "15", "tool_call_id": "c1"}


def test_only_pictures_go_by_address_and_what_is_left_out_is_said() -> None:
    beside = tuple(
        Attachment(kind, url=f"https://h/{at}")
        for at, kind in enumerate(["image/*", "audio/wav", "application/pdf"])
    )
    prompt = Prompt((Message("user", "look", beside), Message("user", "hear", beside[1:2])))
    request = OpenAIChat().request(prompt, Options(), ENDPOINT, stream=True)
    first, second = json.loads(request.body)["messages"]
    assert first["content"][1:] == [{"type": "image_url", "image_url": {"url": "https://h/0"}}]
    assert second["content"] == "hear"
    assert [notice.split(": ")[1] for notice in request.notices] == [
        f"https://h/{at} is left out" for at in (1, 2, 1)
    ]


def test_half_a_character_of_a_badly_encoded_command_line_can_be_sent() -> None:
    assert body(Prompt((Message("user", "a\udcff"),)))["messages"][0]["content"] == "a\ufffd"


def test_text_reasoning_finish_and_usage() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.5,
             "completion_tokens_details": {"reasoning_tokens": 1},
             "prompt_tokens_details": {"cached_tokens": 2}}  # fmt: skip
    found = read(chunk(role="assistant", content=""), chunk(reasoning_content="hm"), chunk(content="yes"),
                 chunk("stop"), {"choices": [], "usage": usage})  # fmt: skip
    assert found == [
        ReasoningDelta("hm"), TextDelta("yes"), Finish("stop", "stop"), Usage(3, 2, 5, 1, 2, 0.5)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", "stop"), ("length", "length"), ("tool_calls", "tool_calls"), ("eos", "stop"),
        ("content_filter", "content_filter"), ("model_length", "length"), ("function_call", "tool_calls"),
        ("network_error", "error"), ("something new", "unknown"),
    ],
)  # fmt: skip
def test_finish_reasons_are_of_the_closed_set(raw: str, reason: str) -> None:
    assert read(chunk(raw)) == [Finish(reason, raw)]  # type: ignore[arg-type]  # one of the set


@pytest.mark.parametrize("end", ["[DONE]", " [DONE] ", '"[DONE]"'])
def test_the_end_mark_ends(end: str) -> None:
    reader = ChatReader()
    assert list(reader.read(WireMessage("message", end))) == []
    assert reader.done


def test_choices_other_than_the_first_are_no_part_of_the_answer() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "stop"}]}
    assert read(other) == []


def test_a_message_that_is_repeated_beside_its_delta_counts_once() -> None:
    choice = {"index": 0, "delta": {"content": "b"}, "message": {"content": "ab"}}
    assert read({"choices": [choice]}) == [TextDelta("b")]


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_has_two_names(name: str) -> None:
    assert read(chunk(**{name: "hm"})) == [ReasoningDelta("hm")]


def test_reasoning_in_parts() -> None:
    assert read(chunk(reasoning_details=[{"text": "h"}, {"text": "m"}])) == [ReasoningDelta("hm")]
    parts = [{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": "yes"}]
    assert read(chunk(content=parts)) == [ReasoningDelta("hm"), TextDelta("yes")]


def test_a_refusal_is_text() -> None:
    assert read(chunk(refusal="I can't")) == [TextDelta("I can't")]


def test_tool_calls_keep_their_places() -> None:
    assert read(
        call(index=0, id="c0", function={"name": "f", "arguments": ""}),
        call(index=1, id="c1", function={"name": "g", "arguments": "{"}),
        call(index=1, function={"arguments": "}"}),
    ) == [
        ToolCallDelta(0, "c0", "f", ""),
        ToolCallDelta(1, "c1", "g", "{"),
        ToolCallDelta(1, None, None, "}"),
    ]


def test_tool_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    found = read(
        call(id="a", function={"name": "f", "arguments": "{"}), call(id="", function={"arguments": "}"}),
        call(id="b", function={"name": "g", "arguments": {"x": 1}}),
    )  # fmt: skip
    assert found == [
        ToolCallDelta(0, "a", "f", "{"), ToolCallDelta(0, None, None, "}"), ToolCallDelta(1, "b", "g", '{"x": 1}')
    ]  # fmt: skip


def called(*documents: Any) -> list[tuple[str | None, str | None, str]]:
    """Return id, name and arguments of the calls of an answer, as a run's end has them."""
    meter = Meter(0.0)
    meter.write(read(*documents), 1.0)
    return [(one.id, one.name, one.arguments) for one in meter.completion(2.0).tool_calls]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (
            [("c", "edit_ex", ""), (None, "isting_file", ""), (None, None, "{}")],
            [("c", "edit_existing_file", "{}")],
        ),
        ([("c", "get_", '{"city":'), ("c", "weather", '"Rome"}')], [("c", "get_weather", '{"city":"Rome"}')]),
        ([("c", "f", '{"a"'), ("c", "f", ":1"), ("c", "f", "}")], [("c", "f", '{"a":1}')]),
        ([("c", "get", ""), ("c", "get_weather", "{}")], [("c", "get_weather", "{}")]),
        ([("c", None, '{"a"'), (None, "f", ":1}")], [("c", "f", '{"a":1}')]),
        ([("1", "f", ""), ("2", "", '{"a"'), ("3", "", ":1"), ("4", "", "}")], [("1", "f", '{"a":1}')]),
        ([("1", "f", "{}"), ("2", "", "{}")], [("1", "f", "{}"), ("2", "f", "{}")]),
        ([("1", "f", ""), ("2", "g", "{}")], [("1", "f", ""), ("2", "g", "{}")]),
        ([(None, "f", ""), (None, "g", "{}")], [(None, "f", ""), (None, "g", "{}")]),
    ],
)
@pytest.mark.parametrize("place", [{"index": 0}, {}])
def test_pieces_of_one_call_are_one_whatever_is_repeated_or_cut(
    pieces: list[tuple[str | None, str | None, str]],
    expected: list[tuple[str | None, str | None, str]],
    place: dict[str, int],
) -> None:
    documents = [call(**place, id=i, function={"name": n, "arguments": a}) for i, n, a in pieces]
    assert called(*documents) == expected


def test_the_older_function_call_is_a_tool_call() -> None:
    found = read(chunk(function_call={"name": "f", "arguments": "{}"}))
    assert found == [ToolCallDelta(0, None, "f", "{}")]


@pytest.mark.parametrize(
    ("document", "event", "kind", "says"),
    [
        (
            {"error": {"message": "busy", "type": "server_error"}},
            "message",
            Unavailable,
            "busy (server_error)",
        ),
        ({"error": "no"}, "message", RequestRefused, "no"),
        ({"error": {"message": "the prompt is too long"}}, "message", ContextTooLong, "too long"),
        ({"error": {"message": "no", "code": 429}}, "message", Unavailable, "no"),
        ({"x_groq": {"error": "no"}}, "message", RequestRefused, "no"),
        ({"object": "error", "message": "no", "code": 404}, "message", RequestRefused, "no"),
        ({"detail": "no"}, "message", RequestRefused, "no"),
        ({"message": "no"}, "error", RequestRefused, "no"),
        ({"message": "no"}, "bare", RequestRefused, "no"),
        (
            {"choices": [{"finish_reason": "error", "error": {"message": "no"}}]},
            "message",
            RequestRefused,
            "no",
        ),
    ],
)
def test_failures_are_reported_in_many_forms(document: Any, event: str, kind: type, says: str) -> None:
    with pytest.raises(kind, match=says.replace("(", r"\(").replace(")", r"\)")):
        read(document, event=event)


@pytest.mark.parametrize("delta", [{"content": True}, {"content": [True]}, {"reasoning": True}])
def test_text_that_is_no_text_is_not_of_this_dialect(delta: Any) -> None:
    with pytest.raises(BadMessage):
        read(chunk(**delta))


def test_the_models_of_a_list() -> None:
    assert OpenAIChat().models_url(ENDPOINT) == "https://acme.test/v1/models"
    assert OpenAIChat().models({"data": [{"id": "a"}, {"id": 7}, "x", 7]}) == ["a", "x"]
    assert OpenAIChat().models([{"id": "b"}]) == ["b"]
    assert OpenAIChat().models(None) == []


@pytest.mark.parametrize("cutting", ["whole", "bytes", "pieces"])
@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.name)
def test_a_recorded_answer_is_understood_however_it_is_cut(path: Path, cutting: str) -> None:
    wanted, failure = expected(path), ""
    found: list[Event] = []
    reader, wire = ChatReader(), decoder("sse", wanted["content_type"])
    try:
        for data in (*pieces(path.with_suffix(".body").read_bytes(), cutting), b""):
            for message in wire.feed(data) if data else wire.close():
                found += reader.read(message)
    except ProviderError as error:
        failure = error.message
    assert (wanted["error"] or "") in failure
    assert bool(wanted["error"]) == bool(failure)
    assert (reader.done or reader.finished) >= wanted["complete"]
    assert summary(found) == {name: wanted[name] for name in summary([])}


@pytest.mark.parametrize(
    "path", [path for path in RECORDINGS if path not in ANSWERS], ids=lambda path: path.name
)
def test_a_recorded_refusal_says_what_the_provider_said(path: Path) -> None:
    wanted = expected(path)
    error = OpenAIChat().error(wanted["status"], wanted["headers"], path.with_suffix(".body").read_bytes())
    assert wanted["error"] in error.message
    assert error.status == wanted["status"]
    assert error.retryable == (wanted["status"] in (429, 500, 502))
