"""What LangChain's suites can't ask of a model of 135M parameters: thinking, tools, images, and leaving early."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from llmstream import AuthenticationError
from llmstream.langchain import ChatLLMStream

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
DELTAS: list[dict[str, Any]] = [
    {"reasoning_content": "hm, "},
    {"reasoning_content": "weather"},
    {"content": "Let me "},
    {"content": "look."},
    {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "weather", "arguments": '{"city"'}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": ': "Rome"}'}}]},
]
USAGE = {
    "prompt_tokens": 3,
    "completion_tokens": 9,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 2},
}


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return "rain"


class Provider(BaseHTTPRequestHandler):
    """An OpenAI-compatible server; asked for endless text, it goes on until the connection is closed."""

    asked: ClassVar[list[dict[str, Any]]] = []
    left: ClassVar[threading.Event] = threading.Event()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body)
        if self.headers["authorization"] != "Bearer sk-good":
            self.send_error(401)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        if body["messages"][-1]["content"] == "endless":
            self._endless()
            return
        for delta in DELTAS:
            self._say({"choices": [{"index": 0, "delta": delta}]})
        self._say({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}], "usage": USAGE})
        self.wfile.write(b"data: [DONE]\n\n")

    def _endless(self) -> None:
        try:
            while True:
                self._say({"choices": [{"index": 0, "delta": {"content": "more "}}]})
        except OSError:
            self.left.set()

    def _say(self, message: object) -> None:
        self.wfile.write(b"data: " + json.dumps(message).encode() + b"\n\n")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def chat() -> Iterator[ChatLLMStream]:
    Provider.asked.clear()
    Provider.left.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base_url = f"http://127.0.0.1:{server.server_port}/v1"
        yield ChatLLMStream(model="groq/m1", base_url=base_url, api_key="sk-good")  # type: ignore[arg-type]  # pydantic makes a SecretStr of it
        server.shutdown()
        thread.join()


def streamed(chat: ChatLLMStream, way: str, prompt: Any, **named: Any) -> AIMessage:
    """Return the sum of a stream's chunks."""

    async def collect() -> list[Any]:
        return [chunk async for chunk in chat.astream(prompt, **named)]

    chunks = list(chat.stream(prompt, **named)) if way == "sync" else asyncio.run(collect())
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert isinstance(whole, AIMessageChunk)
    return whole


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_stream_adds_up_to_all_that_came(chat: ChatLLMStream, way: str) -> None:
    answer = streamed(chat, way, "How is it in Rome?")
    assert answer.text == "Let me look."
    assert answer.additional_kwargs["reasoning_content"] == "hm, weather"
    assert [(call["name"], call["args"], call["id"]) for call in answer.tool_calls] == [
        ("weather", {"city": "Rome"}, "c1")
    ]
    assert answer.response_metadata["finish_reason"] == "tool_calls"
    assert answer.response_metadata["model_name"] == "groq/m1"
    usage = answer.usage_metadata
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (3, 9, 12)
    assert usage["input_token_details"]["cache_read"] == 2


def test_tools_and_what_they_said_are_passed_on(chat: ChatLLMStream) -> None:
    call = {"name": "weather", "args": {"city": "Rome"}, "id": "c1", "type": "tool_call"}
    chat.bind_tools([weather], tool_choice="any").invoke(
        [HumanMessage("And?"), AIMessage("", tool_calls=[call]), ToolMessage("rain", tool_call_id="c1")]
    )
    asked = Provider.asked[0]
    assert asked["tools"][0]["function"]["name"] == "weather"
    assert asked["tool_choice"] == "required"
    _, assistant, tool = asked["messages"]
    assert json.loads(assistant["tool_calls"][0]["function"]["arguments"]) == {"city": "Rome"}
    assert (tool["role"], tool["tool_call_id"], tool["content"]) == ("tool", "c1", "rain")


def test_an_image_is_sent(chat: ChatLLMStream) -> None:
    image = {"type": "image", "base64": PNG, "mime_type": "image/png"}
    chat.invoke([HumanMessage([{"type": "text", "text": "What is it?"}, image])])
    parts = Provider.asked[0]["messages"][0]["content"]
    assert {"type": "text", "text": "What is it?"} in parts
    assert any(part.get("image_url", {}).get("url") == f"data:image/png;base64,{PNG}" for part in parts)


def test_options_of_a_call_go_over_the_models_own(chat: ChatLLMStream) -> None:
    made = chat.model_copy(update={"temperature": 0.25, "stop": ["x"], "model_kwargs": {"user": "me"}})
    made.invoke("hi", temperature=0.5, stop=["y"])
    assert {k: Provider.asked[0][k] for k in ("temperature", "stop", "user")} == {
        "temperature": 0.5, "stop": ["y"], "user": "me",
    }  # fmt: skip


@pytest.mark.parametrize("way", ["sync", "async"])
def test_leaving_a_stream_closes_the_connection(chat: ChatLLMStream, way: str) -> None:
    async def leave() -> None:
        async for _ in chat.astream("endless"):
            break

    if way == "sync":
        for _ in chat.stream("endless"):
            break
    else:
        asyncio.run(leave())
    assert Provider.left.wait(20)


def test_errors_are_this_librarys(chat: ChatLLMStream) -> None:
    refused = ChatLLMStream(model="groq/m1", base_url=chat.base_url, api_key="sk-bad")  # type: ignore[arg-type]
    with pytest.raises(AuthenticationError) as raised:
        refused.invoke("hi")
    assert "sk-bad" not in repr(raised.value)


def test_without_the_extra_it_is_named() -> None:
    code = "import sys; sys.modules['langchain_core'] = None; import llmstream.langchain"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith("pip install 'llmstream-cli[langchain]'")
