"""ChatLLMStream beyond the standard suites: what goes out, and what comes back of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.tools import tool
from pydantic import BaseModel, SecretStr

from e2e.recorder import Recorder
from fakes.fixtures import Provider
from fakes.scenarios import VERSE
from llmstream import Attachment, Message, ToolCall, Unavailable, UsageError
from llmstream.langchain import ChatLLMStream
from llmstream.langchain.messages import messages_of

PNG = b"\x89PNG\r\n\x1a\n0000"
PDF = b"%PDF-1.7"
IMAGE = Attachment("image/png", PNG)
CALL = {"name": "weather", "args": {"city": "Zürich"}, "id": "c1"}


def text64(data: bytes) -> str:
    return b64encode(data).decode()


def model_at(provider: Provider, scenario: str = "ok", **fields: Any) -> ChatLLMStream:
    return ChatLLMStream(
        model="openai/m1",
        base_url=provider.base_url(scenario),
        api_key=SecretStr("sk-none"),
        max_retries=0,
        **fields,
    )


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as running:
        yield running


@pytest.fixture
def chat(recorder: Recorder) -> ChatLLMStream:
    """A model whose requests are kept."""
    return ChatLLMStream(model="openai/m1", base_url=f"{recorder.address}/v1", api_key=SecretStr("sk-none"))


@pytest.fixture(params=["sync", "async"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def chunks(model: Any, engine: str, prompt: Any, count: int | None = None, **named: Any) -> list[Any]:
    """Return the chunks of an answer, or the first of them, leaving the rest."""
    if engine == "sync":
        stream = model.stream(prompt, **named)
        found = list(islice(stream, count))
        stream.close()
        return found

    async def run() -> list[Any]:
        stream = model.astream(prompt, **named)
        found = []
        async for chunk in stream:
            found.append(chunk)
            if len(found) == count:
                break
        await stream.aclose()
        return found

    return asyncio.run(run())


def whole(model: Any, engine: str, prompt: Any, **named: Any) -> Any:
    if engine == "sync":
        return model.invoke(prompt, **named)
    return asyncio.run(model.ainvoke(prompt, **named))


def joined(parts: list[AIMessageChunk]) -> AIMessageChunk:
    first, *rest = parts
    for part in rest:
        first = first + part
    return first


def test_a_sampling_parameter_without_a_field_is_sent_and_a_misspelled_one_is_told(
    recorder: Recorder,
) -> None:
    place: dict[str, Any] = {"base_url": f"{recorder.address}/v1", "api_key": SecretStr("sk-none")}
    further: dict[str, Any] = {"presence_penalty": 0.5, "model_kwargs": {"seed": 2}, "streaming": True}
    list(ChatLLMStream(model="openai/m1", **place, **further).stream("Hello"))
    body = recorder.last.body
    assert (body["presence_penalty"], body["seed"]) == (0.5, 2) and "streaming" not in body
    wrong: dict[str, Any] = {"temprature": 1}
    with pytest.raises(UsageError, match='did you mean "temperature"'):
        ChatLLMStream(model="openai/m1", **place, **wrong).invoke("Hello")


@pytest.mark.parametrize(
    ("message", "ours"),
    [
        (SystemMessage("be brief"), Message("system", "be brief")),
        (ChatMessage(content="be brief", role="developer"), Message("system", "be brief")),
        (HumanMessage("hi", name="bob"), Message("user", "hi")),
        (HumanMessage(["a", "b"]), Message("user", "ab")),
        (FunctionMessage(content="12", name="weather"), Message("tool", "12", name="weather")),
        (ToolMessage("12", tool_call_id="c1"), Message("tool", "12", tool_call_id="c1")),
        (
            ToolMessage([{"type": "text", "text": "12"}], tool_call_id="c1", name="weather"),
            Message("tool", "12", tool_call_id="c1", name="weather"),
        ),
        (
            AIMessage("", tool_calls=[CALL]),
            Message("assistant", "", (), (ToolCall(0, "c1", "weather", '{"city": "Zürich"}'),)),
        ),
        (
            AIMessage("", tool_calls=[], invalid_tool_calls=[{"name": "f", "args": "{", "id": "c2", "error": "?"}]),
            Message("assistant", "", (), (ToolCall(0, "c2", "f", "{"),)),
        ),
        (AIMessageChunk(content="hello"), Message("assistant", "hello")),
    ],
    ids=lambda value: value.type if isinstance(value, BaseMessage) else "",
)  # fmt: skip
def test_each_kind_of_message_has_its_own_form(message: BaseMessage, ours: Message) -> None:
    assert messages_of([message]) == [ours]


@pytest.mark.parametrize(
    ("part", "attachment"),
    [
        ({"type": "image", "base64": text64(PNG), "mime_type": "image/png"}, IMAGE),
        ({"type": "image", "source_type": "base64", "data": text64(PNG), "mime_type": "image/png"}, IMAGE),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": text64(PNG)}}, IMAGE),
        ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{text64(PNG)}"}}, IMAGE),
        ({"type": "image_url", "image_url": f"data:image/png;base64,{text64(PNG)}"}, IMAGE),
        ({"type": "image_url", "image_url": "https://a.test/x"}, Attachment("image/*", url="https://a.test/x")),
        ({"type": "image", "url": "https://a.test/x"}, Attachment("image/*", url="https://a.test/x")),
        ({"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"}, Attachment("audio/wav", b"hi")),
        ({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}, Attachment("audio/wav", b"hi")),
        (
            {"type": "file", "base64": text64(PDF), "mime_type": "application/pdf", "filename": "a.pdf"},
            Attachment("application/pdf", PDF, name="a.pdf"),
        ),
        (
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{text64(PDF)}", "filename": "a.pdf"}},
            Attachment("application/pdf", PDF, name="a.pdf"),
        ),
    ],
)  # fmt: skip
def test_a_file_is_an_attachment_whichever_integration_wrote_it(part: Any, attachment: Attachment) -> None:
    message = HumanMessage([{"type": "text", "text": "What is it?"}, part])
    assert messages_of([message]) == [Message("user", "What is it?", (attachment,))]


def test_a_document_of_plain_text_stands_apart_from_the_question() -> None:
    document = {"type": "text-plain", "text": "It rains.", "mime_type": "text/plain"}
    [message] = messages_of([HumanMessage([document, {"type": "text", "text": "Does it?"}])])
    assert message.content == "It rains.\n\nDoes it?"


@pytest.mark.parametrize(
    "thought",
    [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Zürich"}},
        {"type": "tool_call", "id": "c1", "name": "weather", "args": {"city": "Zürich"}},
    ],
)
def test_another_integrations_answer_goes_on_without_what_only_its_provider_knows(thought: Any) -> None:
    [message] = messages_of([AIMessage([thought, {"type": "text", "text": "hi"}], tool_calls=[CALL])])
    assert (message.content, message.attachments) == ("hi", ())
    assert [call.id for call in message.tool_calls] == ["c1"]


def test_thinking_is_kept_for_servers_that_want_it_back() -> None:
    answer = AIMessage("", additional_kwargs={"reasoning_content": "hm"}, tool_calls=[CALL])
    [message] = messages_of([answer])
    assert (message.content, message.reasoning) == ("", "hm")


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (ChatMessage(content="a", role="narrator"), "narrator"),
        (HumanMessage([{"type": "hologram", "data": 1}]), "hologram"),
        (HumanMessage([{"type": "file", "file_id": "f1"}]), "file"),
        (HumanMessage([{"type": "image", "base64": "*", "mime_type": "image/png"}]), "base64"),
    ],
)
def test_what_can_not_be_told_to_any_provider_is_refused_by_name(message: BaseMessage, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        messages_of([message])


def test_fields_and_the_options_of_one_call_are_in_the_request(
    recorder: Recorder, chat: ChatLLMStream, engine: str
) -> None:
    ours = chat.model_copy(
        update={"temperature": 0.5, "max_tokens": 7, "top_p": 0.25, "seed": 3, "stop": ["a"]}
    )
    whole(ours, engine, "hi", temperature=0, stop=["b"], top_k=4)
    body = recorder.last.body
    options = {name: body[name] for name in ("temperature", "max_tokens", "top_p", "seed", "stop", "top_k")}
    assert options == {"temperature": 0, "max_tokens": 7, "top_p": 0.25, "seed": 3, "stop": ["b"], "top_k": 4}
    assert recorder.last.headers["authorization"] == "Bearer sk-none"


def test_a_copy_with_another_key_or_address_uses_these(
    recorder: Recorder, chat: ChatLLMStream, engine: str
) -> None:
    whole(chat, engine, "hi")
    whole(chat.model_copy(update={"api_key": SecretStr("sk-new")}), engine, "hi")
    assert recorder.last.headers["authorization"] == "Bearer sk-new"
    whole(chat.model_copy(update={"base_url": f"{recorder.address}/v2"}), engine, "hi")
    assert recorder.last.path.startswith("/v2/")
    assert recorder.last.headers["authorization"] == "Bearer sk-none"


def test_tools_and_the_choice_among_them_are_in_the_request(recorder: Recorder, chat: ChatLLMStream) -> None:
    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return city

    chosen: dict[Any, Any] = {
        "any": "required", True: "required", "auto": "auto", False: "none",
        "weather": {"type": "function", "function": {"name": "weather"}},
    }  # fmt: skip
    for choice, sent in chosen.items():
        chat.bind_tools([weather], tool_choice=choice).invoke("hi")
        assert recorder.last.body["tool_choice"] == sent
    [definition] = recorder.last.body["tools"]
    assert definition["function"]["name"] == "weather"
    assert definition["function"]["parameters"]["required"] == ["city"]


def test_a_tool_call_comes_in_pieces_that_join(provider: Provider, engine: str) -> None:
    parts = chunks(model_at(provider, "tools"), engine, "hi")
    assert sum(bool(part.tool_call_chunks) for part in parts) > 1
    answer = joined(parts)
    assert answer.tool_calls and not answer.invalid_tool_calls
    assert answer.response_metadata["finish_reason"] == "tool_calls"
    assert whole(model_at(provider, "tools"), engine, "hi").tool_calls == answer.tool_calls


def test_a_structured_answer_is_made_of_the_call_of_its_tool(provider: Provider, engine: str) -> None:
    class weather(BaseModel):
        """The weather somewhere."""

        city: str

    answer = whole(model_at(provider, "tools").with_structured_output(weather), engine, "hi")
    assert isinstance(answer, weather) and answer.city
    assert provider.body()["tool_choice"] == "required"
    assert not [name for name in provider.body() if name.startswith("ls_")]


def test_thinking_is_beside_the_answer(provider: Provider, engine: str) -> None:
    answer = joined(chunks(model_at(provider, "thinking"), engine, "hi"))
    assert answer.text == "done"
    assert answer.additional_kwargs["reasoning_content"] == "let me think"
    assert [block["type"] for block in answer.content_blocks] == ["reasoning", "text"]


def test_an_answer_comes_as_the_models_own_chunks_and_says_whose_it_is(
    provider: Provider, engine: str
) -> None:
    *parts, last = chunks(model_at(provider), engine, "hi")
    assert [part.text for part in parts] == list(VERSE)
    assert last.usage_metadata == {"input_tokens": 5, "output_tokens": 9, "total_tokens": 14}
    assert last.response_metadata == {
        "finish_reason": "stop", "model_name": "openai/m1", "model_provider": "llmstream",
    }  # fmt: skip


def test_an_option_that_the_provider_can_not_take_is_a_warning_in_the_metadata(
    recorder: Recorder, engine: str
) -> None:
    model = ChatLLMStream(
        model="openai-completions/m1",
        base_url=f"{recorder.address}/v1",
        api_key=SecretStr("k"),
        max_retries=0,
    )
    [warning] = whole(model, engine, "hi", top_k=4).response_metadata["warnings"]
    assert "top_k" in warning


def test_leaving_a_stream_ends_its_request(provider: Provider, engine: str) -> None:
    assert len(chunks(model_at(provider, "stall"), engine, "hi", count=1)) == 1
    provider.wait("gone")


def test_callbacks_see_each_token_of_a_stream(provider: Provider, engine: str) -> None:
    class Tokens(BaseCallbackHandler):
        def __init__(self) -> None:
            self.seen: list[str] = []

        def on_llm_new_token(self, token: Any, **_: Any) -> None:
            self.seen.append(token)

    handler = Tokens()
    chunks(model_at(provider), engine, "hi", config={"callbacks": [handler]})
    assert [token for token in handler.seen if token] == list(VERSE)


def test_a_failure_is_an_error_of_ours_and_another_model_can_take_over(
    provider: Provider, engine: str
) -> None:
    with pytest.raises(Unavailable, match="500"):
        whole(model_at(provider, "500"), engine, "hi")
    safe = model_at(provider, "500").with_fallbacks([model_at(provider)])
    assert whole(safe, engine, "hi").text == "".join(VERSE)


def test_two_models_at_different_places_are_not_mistaken_for_each_other_in_a_cache(
    provider: Provider,
) -> None:
    one, other = model_at(provider), model_at(provider, "length")
    assert one._get_llm_string() != other._get_llm_string()
    assert "sk-none" not in one._get_llm_string() + repr(one)


def test_importing_the_library_or_its_command_imports_no_langchain() -> None:
    code = "import sys, llmstream, llmstream.cli; llmstream.LLM; print([m for m in sys.modules if 'langchain' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
