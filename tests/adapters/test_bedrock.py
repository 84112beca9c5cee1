"""Bedrock: what is asked for, and what its frames mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmstream.adapters.bedrock import Bedrock
from llmstream.adapters.bedrock_reader import BedrockReader
from llmstream.errors import BadMessage, ContextTooLong, ProviderError, RequestRefused, Unavailable
from llmstream.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llmstream.prompt import Attachment, Endpoint, Json, Message, Options, Prompt, Secret, ToolCall
from llmstream.wire.message import WireMessage

ENDPOINT = Endpoint(
    "bedrock", "us.nova-micro-v1:0", "https://bedrock-runtime.us-east-1.amazonaws.com", Secret("absk")
)
TOOL: dict[str, Json] = {
    "type": "function",
    "function": {"name": "weather", "description": "", "parameters": {"type": "object"}},
}
USER = Message("user", "hi")


def body(*messages: Message, options: Options | None = None, endpoint: Endpoint = ENDPOINT) -> Any:
    """Return the body of a request."""
    request = Bedrock().request(Prompt(messages or (USER,)), options or Options(), endpoint, stream=True)
    return json.loads(request.body)


def read(*frames: tuple[str, Any]) -> list[Event]:
    """Return the events of these frames."""
    reader = BedrockReader()
    return [e for kind, document in frames for e in reader.read(WireMessage(kind, json.dumps(document)))]


def delta(block: int, **part: Any) -> tuple[str, Any]:
    """Return a frame with a delta."""
    return "contentBlockDelta", {"contentBlockIndex": block, "delta": part, "p": "abc"}


def test_the_models_id_is_one_part_of_the_path() -> None:
    request = Bedrock().request(Prompt((USER,)), Options(), ENDPOINT, stream=True)
    assert request.url == f"{ENDPOINT.base_url}/model/us.nova-micro-v1%3A0/converse-stream"
    assert request.headers["authorization"] == "Bearer absk"
    assert request.framing == "aws"
    arn = Endpoint("b", "arn:aws:bedrock:us-east-1:1:inference-profile/x", "https://h")
    request = Bedrock().request(Prompt((USER,)), Options(), arn, stream=False)
    assert (
        request.url == "https://h/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse"
    )
    assert request.framing == "whole"


def test_options_are_common_ones_the_apis_or_the_models_own() -> None:
    options = Options(
        temperature=0, max_tokens=5, top_p=0.5, stop=("x",), extra={"top_k": 3, "guardrailConfig": {"a": 1}}
    )
    endpoint = Endpoint("b", "m", "https://h", extra_body={"additionalModelRequestFields": {"thinking": 1}})
    sent = body(Message("system", "be brief"), USER, options=options, endpoint=endpoint)
    assert sent == {
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "system": [{"text": "be brief"}],
        "inferenceConfig": {"temperature": 0, "maxTokens": 5, "topP": 0.5, "stopSequences": ["x"]},
        "guardrailConfig": {"a": 1},
        "additionalModelRequestFields": {"top_k": 3, "thinking": 1},
    }


def test_options_that_only_some_models_have_are_said_to_be_left_out() -> None:
    request = Bedrock().request(Prompt((USER,)), Options(seed=1, top_k=2), ENDPOINT, stream=True)
    assert all(name in notice for name, notice in zip(("top_k", "seed"), request.notices, strict=True))


def test_a_schema_goes_as_text() -> None:
    form = body(options=Options(schema={"type": "object"}))["outputConfig"]["textFormat"]
    assert form["type"] == "json_schema"
    assert json.loads(form["structure"]["jsonSchema"]["schema"]) == {"type": "object"}


@pytest.mark.parametrize(
    ("choice", "sent"),
    [(None, None), ("auto", None), ("required", {"any": {}}), ("weather", {"tool": {"name": "weather"}})],
)
def test_tools_and_their_choice(choice: str | None, sent: Any) -> None:
    config = body(options=Options(tools=(TOOL,), tool_choice=choice))["toolConfig"]
    assert config["tools"] == [{"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object"}}}}]
    assert config.get("toolChoice") == sent


def test_no_tool_is_offered_when_none_may_be_called() -> None:
    assert "toolConfig" not in body(options=Options(tools=(TOOL,), tool_choice="none"))


def test_roles_alternate_and_results_are_the_users() -> None:
    called = Message("assistant", " ", tool_calls=(ToolCall(0, "t1", "weather", '{"city": "Paris"}'),))
    sent = body(USER, called, Message("tool", "15", tool_call_id="t1"), Message("user", "and?"))["messages"]
    assert sent == [
        {"role": "user", "content": [{"text": "hi"}]},
        {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Paris"}}}],
        },
        {
            "role": "user",
            "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "15"}]}}, {"text": "and?"}],
        },
    ]


def test_attachments_go_as_bytes_under_names_that_are_allowed() -> None:
    attachments = (
        Attachment("image/jpeg", b"\x00"),
        Attachment("application/pdf", b"\x01", name="my_report (v2).pdf"),
        Attachment("application/pdf", b"\x01", name="my report (v2).pdf"),
        Attachment("audio/mpeg", b"\x02"),
    )
    content = body(Message("user", "look", attachments))["messages"][0]["content"]
    assert content[1] == {"image": {"format": "jpeg", "source": {"bytes": "AA=="}}}
    assert [part["document"]["name"] for part in content[2:4]] == ["my report (v2)", "my report (v2) 2"]
    assert content[4] == {"audio": {"format": "mp3", "source": {"bytes": "Ag=="}}}


def test_attachments_that_can_not_go_are_said() -> None:
    attachments = (
        Attachment("image/png", url="https://h/i.png"),
        Attachment("image/tiff", b"x", name="i.tiff"),
    )
    prompt = Prompt((Message("user", "look", attachments),))
    request = Bedrock().request(prompt, Options(), ENDPOINT, stream=True)
    assert len(request.notices) == 2
    assert json.loads(request.body)["messages"][0]["content"] == [{"text": "look"}]


def test_frames_of_each_kind() -> None:
    start = {"contentBlockIndex": 4, "start": {"toolUse": {"toolUseId": "t1", "name": "weather"}}}
    cache = {"cacheReadInputTokens": 4, "cacheWriteInputTokens": 5}
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 12, **cache}
    found = read(
        ("messageStart", {"role": "assistant"}),
        delta(0, reasoningContent={"text": "hm"}),
        delta(0, reasoningContent={"signature": "xyz"}),
        delta(0, reasoningContent={"redactedContent": "xyz"}),
        delta(1, text="0"),
        delta(1, citation={"title": "facts"}),
        ("contentBlockStop", {"contentBlockIndex": 1}),
        ("contentBlockStart", start),
        delta(4, toolUse={"input": '{"a":'}),
        delta(4, toolUse={"input": "1}"}),
        ("messageStop", {"stopReason": "tool_use"}),
        ("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}),
    )
    assert found == [
        ReasoningDelta("hm"), TextDelta("0"), ToolCallDelta(0, "t1", "weather", ""),
        ToolCallDelta(0, None, None, '{"a":'), ToolCallDelta(0, None, None, "1}"),
        Finish("tool_calls", "tool_use"), Usage(10, 2, 12, None, 4),
    ]  # fmt: skip


def test_usage_is_waited_for_behind_the_finish() -> None:
    reader = BedrockReader()
    list(reader.read(WireMessage("messageStop", '{"stopReason": "end_turn"}')))
    assert (reader.finished, reader.done) == (True, False)
    list(reader.read(WireMessage("metadata", "{}")))
    assert reader.done


@pytest.mark.parametrize(
    ("kind", "data", "error"),
    [
        ("throttlingException", '{"message": "slow down"}', Unavailable),
        ("modelStreamErrorException", '{"message": "slow down"}', Unavailable),
        ("modelTimeoutException", '{"message": "slow down"}', Unavailable),
        ("modelNotReadyException", '{"message": "slow down"}', Unavailable),
        ("validationException", '{"message": "slow down"}', RequestRefused),
        ("InternalFailure", "slow down", ProviderError),
    ],
)
def test_an_exception_in_mid_stream_is_an_error(kind: str, data: str, error: type[Exception]) -> None:
    reader = BedrockReader()
    with pytest.raises(error, match=f"slow down.*{kind}"):
        list(reader.read(WireMessage(f"exception:{kind}", data)))


def test_an_exception_without_a_message_is_told_by_its_type() -> None:
    with pytest.raises(Unavailable) as raised:
        list(BedrockReader().read(WireMessage("exception:internalServerException", "{}")))
    assert raised.value.message == "internalServerException"


def test_a_whole_answer_is_read() -> None:
    content = [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "x"}}},
        {"text": "hi"},
        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Paris"}}},
    ]
    answer = {
        "output": {"message": {"role": "assistant", "content": content}}, "stopReason": "tool_use",
        "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3},
    }  # fmt: skip
    assert read(("whole", answer)) == [
        ReasoningDelta("hm"), TextDelta("hi"), ToolCallDelta(0, "t1", "weather", '{"city": "Paris"}'),
        Finish("tool_calls", "tool_use"), Usage(1, 2, 3),
    ]  # fmt: skip


def test_a_document_without_an_answer_is_an_error() -> None:
    with pytest.raises(ProviderError, match="no such"):
        read(("whole", {"message": "no such operation"}))
    with pytest.raises(BadMessage):
        read(("whole", {}))


def test_a_refusals_type_is_in_a_header() -> None:
    headers = {"x-amzn-errortype": "ValidationException:http://internal.amazon.com/"}
    error = Bedrock().error(400, headers, b'{"message": "bad id"}')
    assert error.message == "400 Bad Request: bad id (ValidationException)"


def test_a_prompt_that_is_too_long_is_known_as_one() -> None:
    said = '{"message": "Input is too long for requested model."}'
    assert isinstance(Bedrock().error(400, {}, said.encode()), ContextTooLong)
    with pytest.raises(ContextTooLong):
        read(("exception:validationException", json.loads(said)))


def test_models_are_listed_by_the_service_beside() -> None:
    url = Bedrock().models_url(ENDPOINT)
    assert url == "https://bedrock.us-east-1.amazonaws.com/foundation-models?byOutputModality=TEXT"
    assert Bedrock().models({"modelSummaries": [{"modelId": "a"}]}) == ["a"]
