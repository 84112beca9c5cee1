"""Gemini: what is asked for, and what its answers mean."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_native_recordings import FOLDER, expected, pieces, summary

from llmstream.adapters.gemini import Gemini, GeminiReader
from llmstream.engine.attempt import MALFORMED
from llmstream.errors import BadMessage, LLMStreamError, PromptBlocked, ProviderError, Unavailable, UsageError
from llmstream.events import Event, Finish, Notice, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Attachment, Endpoint, Json, Message, Options, Prompt, Secret, ToolCall
from llmstream.record import replace
from llmstream.wire import decoder
from llmstream.wire.message import WireMessage

ENDPOINT = Endpoint("gemini", "gemini-3.5-flash", "https://g.example/v1beta", Secret("g-key"))
OLDER = replace(ENDPOINT, model="gemini-2.5-flash")
HELLO = Prompt((Message("user", "hi"),))
TOOL: dict[str, Json] = {
    "type": "function",
    "function": {"name": "weather", "description": "now", "parameters": {"type": "object"}, "strict": True},
}
RECORDINGS = sorted(path.with_suffix("") for path in (FOLDER / "gemini").glob("*.body"))
ANSWERS = [path for path in RECORDINGS if not path.name.startswith("error-")]


def request_body(prompt: Prompt = HELLO, endpoint: Endpoint = ENDPOINT, **options: Any) -> Any:
    """Return the body of a request."""
    return json.loads(Gemini().request(prompt, Options(**options), endpoint, stream=True).body)


def read(*documents: Any, event: str = "message") -> list[Event]:
    """Return the events of these messages."""
    reader = GeminiReader()
    return [e for document in documents for e in reader.read(WireMessage(event, json.dumps(document)))]


def chunk(*parts: Any, **candidate: Any) -> Any:
    """Return a chunk with these parts."""
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, **candidate}]}


def test_a_request_has_its_key_in_a_header() -> None:
    request = Gemini().request(HELLO, Options(), ENDPOINT, stream=True)
    assert request.url == "https://g.example/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == "g-key"
    assert request.framing == "sse"
    assert json.loads(request.body) == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def test_a_whole_answer_has_another_method() -> None:
    request = Gemini().request(HELLO, Options(), replace(ENDPOINT, api_key=None), stream=False)
    assert request.url.endswith("/models/gemini-3.5-flash:generateContent")
    assert request.framing == "whole"
    assert "x-goog-api-key" not in request.headers


@pytest.mark.parametrize(
    ("model", "path"),
    [("models/a", "/models/a:"), ("tunedModels/b", "/tunedModels/b:"), ("a?b#c", "/models/a%3Fb%23c:")],
)
def test_a_model_is_a_path(model: str, path: str) -> None:
    request = Gemini().request(HELLO, Options(), replace(ENDPOINT, model=model), stream=True)
    assert f"/v1beta{path}stream" in request.url


def test_options_have_the_names_of_the_api() -> None:
    sent = request_body(
        temperature=0, max_tokens=9, top_p=0.9, top_k=4, stop=("a",), seed=1, frequency_penalty=0.1,
        presence_penalty=0.2, schema={"type": "object"}, tools=(TOOL, {"googleSearch": {}}),
        tool_choice="weather", extra={"generationConfig": {"topK": 5}, "cachedContent": "c"},
    )  # fmt: skip
    del sent["contents"]
    function = {"name": "weather", "description": "now", "parametersJsonSchema": {"type": "object"}}
    assert sent == {
        "generationConfig": {
            "temperature": 0, "maxOutputTokens": 9, "topP": 0.9, "topK": 5, "stopSequences": ["a"], "seed": 1,
            "frequencyPenalty": 0.1, "presencePenalty": 0.2, "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object"},
        },
        "tools": [{"functionDeclarations": [function]}, {"googleSearch": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
        "cachedContent": "c",
    }  # fmt: skip
    assert request_body(tool_choice="none")["toolConfig"] == {"functionCallingConfig": {"mode": "NONE"}}


def test_thinking_has_levels_or_in_older_models_tokens() -> None:
    def thinking(effort: str, endpoint: Endpoint) -> Any:
        return request_body(HELLO, endpoint, reasoning_effort=effort)["generationConfig"]["thinkingConfig"]

    assert thinking("low", ENDPOINT) == {"includeThoughts": True, "thinkingLevel": "low"}
    assert thinking("none", ENDPOINT) == {"includeThoughts": False, "thinkingLevel": "minimal"}
    assert thinking("low", OLDER) == {"includeThoughts": True, "thinkingBudget": 1024}
    assert thinking("none", OLDER) == {"includeThoughts": False, "thinkingBudget": 0}


def test_what_it_can_not_take_is_said() -> None:
    def said(effort: str, endpoint: Endpoint) -> tuple[str, ...]:
        return Gemini().request(HELLO, Options(reasoning_effort=effort), endpoint, stream=True).notices

    assert "can't turn thinking off" in said("none", ENDPOINT)[0]
    assert "'huge'" in said("huge", ENDPOINT)[0]
    assert not said("none", OLDER)
    assert "generationConfig" not in request_body(reasoning_effort="huge")


def test_attachments_are_parts() -> None:
    attachments = (Attachment("image/png", b"x"), Attachment("video/mp4", url="https://h/v.mp4"))
    prompt = Prompt((Message("system", "be brief"), Message("user", "look", attachments)))
    sent = request_body(prompt)
    assert sent["systemInstruction"] == {"parts": [{"text": "be brief"}]}
    assert sent["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "eA=="}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://h/v.mp4"}},
        {"text": "look"},
    ]


@pytest.mark.parametrize("endpoint", [ENDPOINT, OLDER])
def test_calls_in_parallel_and_their_results_are_one_turn_each(endpoint: Endpoint) -> None:
    calls = (ToolCall(0, "c1", "weather", '{"city":"Rome"}'), ToolCall(1, None, "time", ""))
    prompt = Prompt(
        (
            Message("user", "hi"),
            Message("assistant", "", tool_calls=calls),
            Message("tool", '{"sky":"blue"}', tool_call_id="c1"),
            Message("tool", "noon", name="time"),
            Message("user", "go on"),
        )
    )
    contents = request_body(prompt, endpoint)["contents"]
    first: Any = {"functionCall": {"name": "weather", "args": {"city": "Rome"}, "id": "c1"}}
    if endpoint is ENDPOINT:
        first["thoughtSignature"] = "skip_thought_signature_validator"
    assert contents[1] == {"role": "model", "parts": [first, {"functionCall": {"name": "time", "args": {}}}]}
    weather = {"name": "weather", "response": {"sky": "blue"}, "id": "c1"}
    time = {"name": "time", "response": {"result": "noon"}}
    assert contents[2] == {
        "role": "user", "parts": [{"functionResponse": weather}, {"functionResponse": time}],
    }  # fmt: skip
    assert contents[3] == {"role": "user", "parts": [{"text": "go on"}]}


def test_arguments_that_are_no_object_are_refused() -> None:
    calls = (ToolCall(0, None, "weather", "Rome"),)
    with pytest.raises(UsageError):
        request_body(Prompt((Message("assistant", "", tool_calls=calls),)))


def test_parts_of_each_kind() -> None:
    found = read(
        chunk({"text": "hm", "thought": True}, {"text": "0"}, {"text": "", "thoughtSignature": "x"}),
        chunk({"executableCode": {"code": "1"}}, {"toolCall": {"id": "t"}}, {"somethingNew": 1}),
        chunk({"functionCall": {"name": "a", "args": {"x": 1}}}, {"functionCall": {"name": "b", "id": "i"}}),
        {"candidates": [{"index": 1, "content": {"parts": [{"text": "other"}]}, "finishReason": "STOP"}]},
        {"candidates": [{"content": {}, "finishReason": "STOP"}]},
    )
    assert found == [
        ReasoningDelta("hm"), TextDelta("0"), ToolCallDelta(0, None, "a", '{"x": 1}'),
        ToolCallDelta(1, "i", "b", "{}"), Finish("tool_calls", "STOP"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "reason"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("NEW_ONE", "unknown")],
)
def test_finish_reasons(raw: str, reason: str) -> None:
    assert read({"candidates": [{"finishReason": raw}]}) == [Finish(reason, raw)]  # type: ignore[arg-type]


def test_a_reason_with_each_chunk_is_given_once_until_it_changes() -> None:
    found = read(
        chunk({"text": "a"}, finishReason="STOP"),
        chunk({"text": "b"}, finishReason="STOP"),
        {"candidates": [{"finishReason": "RECITATION"}]},
    )
    assert found == [
        TextDelta("a"), Finish("stop", "STOP"), TextDelta("b"), Finish("content_filter", "RECITATION"),
    ]  # fmt: skip


def test_a_failed_call_is_explained() -> None:
    failed = {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "call: print("}
    assert read({"candidates": [failed]}) == [
        Notice("call: print("), Finish("error", "MALFORMED_FUNCTION_CALL"),
    ]  # fmt: skip


def test_what_is_left_out_is_said_once() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "eA=="}}
    assert read(chunk(image), chunk(image)) == [Notice("the answer contains image/png data: left out")]


def test_thoughts_are_output_too() -> None:
    counts = {
        "promptTokenCount": 5,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 10,
    }
    assert read({"usageMetadata": counts}) == [Usage(5, 5, 10, 3)]
    assert read({"usageMetadata": {"promptTokenCount": 5, "thoughtsTokenCount": 3}}) == [Usage(5, 3, None, 3)]
    assert read({"usageMetadata": {"trafficType": "ON_DEMAND"}}) == []


def test_a_blocked_prompt_is_an_error() -> None:
    with pytest.raises(PromptBlocked, match="SAFETY: not that"):
        read({"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "not that"}})


def test_an_error_in_the_stream_keeps_what_it_says() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]
    error = {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED", "details": details}
    reader, found = GeminiReader(), []
    with pytest.raises(Unavailable, match=r"slow down \(RESOURCE_EXHAUSTED\)") as raised:
        for event in reader.read(WireMessage("whole", json.dumps([chunk({"text": "a"}), {"error": error}]))):
            found.append(event)
    assert (found, raised.value.status, raised.value.retry_after) == ([TextDelta("a")], 429, 7)
    with pytest.raises(ProviderError, match="no more"):
        read({"error": "no more"})


@pytest.mark.parametrize("document", [{"candidates": [{"content": True}]}, {"candidates": 5}, [1]])
def test_a_document_of_another_kind_is_a_bad_message(document: Any) -> None:
    with pytest.raises(BadMessage):
        read(document, event="whole")


def test_only_a_whole_document_is_done_without_a_finish_reason() -> None:
    def done(event: str, document: Any) -> bool:
        reader = GeminiReader()
        list(reader.read(WireMessage(event, json.dumps(document))))
        return reader.done

    assert done("whole", chunk({"text": "a"}))
    assert not done("whole", [chunk({"text": "a"})])
    assert not done("message", chunk({"text": "a"}, finishReason="STOP"))


def test_models_are_those_that_generate() -> None:
    adapter = Gemini()
    assert adapter.models_url(ENDPOINT) == "https://g.example/v1beta/models?pageSize=1000"
    able = {"name": "models/a", "supportedGenerationMethods": ["generateContent"]}
    unable = {"name": "models/b", "supportedGenerationMethods": ["embedContent"]}
    assert adapter.models({"models": [able, unable, {"name": "c"}, {}, 1]}) == ["a", "c"]
    assert adapter.models([]) == []


@pytest.mark.parametrize("cutting", ["whole", "bytes", "pieces"])
@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: str(path.name))
def test_a_recorded_answer_is_understood_however_it_is_cut(path: Path, cutting: str) -> None:
    wanted, failure, reader = expected(path), "", GeminiReader()
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
    found_summary = summary(found)
    # of several the last one holds
    found_summary["finish_reason"] = next((e.raw for e in reversed(found) if isinstance(e, Finish)), None)
    assert found_summary == {name: wanted[name] for name in found_summary}
    assert reader.finished == (wanted["finish_reason"] is not None)


def test_a_recorded_refusal_says_what_the_provider_said() -> None:
    path = FOLDER / "gemini" / "error-400"
    error = Gemini().error(400, {}, path.with_suffix(".body").read_bytes())
    assert expected(path)["error"] in error.message
    assert Gemini().revise(Gemini().request(HELLO, Options(), ENDPOINT, stream=True), error) is None


NAMES = st.sampled_from(
    ["candidates", "content", "parts", "text", "thought", "functionCall", "name", "args", "finishReason",
     "promptFeedback", "blockReason", "usageMetadata", "promptTokenCount", "inlineData", "index", "error"]
)  # fmt: skip
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(), inner, max_size=5),
)


@given(ANY_JSON.map(json.dumps) | st.text(), st.sampled_from(["message", "whole", "bare", "error", ""]))
def test_any_message_is_read_or_refused(data: str, event: str) -> None:
    with contextlib.suppress(LLMStreamError, *MALFORMED):
        list(GeminiReader().read(WireMessage(event, data)))
