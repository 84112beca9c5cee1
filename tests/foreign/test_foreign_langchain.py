"""LangChain's own models through the adapter `runnable`: what they give is what ours give."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.command import Command
from foreign.foreign_models import model
from llmstream import LLM, Completion, TimeLimitPassed
from llmstream.engine.policy import Policy
from llmstream.prompt import Endpoint
from llmstream.runnable.calls import abatches, batches
from llmstream.runnable.plan import Plan
from llmstream.runnable.prompts import PromptLike, prompt_of
from llmstream.runnable.streams import AsyncStream, Stream
from llmstream.runnable.targets import Target
from local_model import served
from runnable.fixtures import Way

pytest.importorskip("langchain_openai")
langchain_models = pytest.importorskip("foreign.langchain_models")

# LangChain's clients keep their connections for as long as they like
pytestmark = pytest.mark.shares_clients

PROMPT = "Once upon a time, there was a glass of sparkling water."
SETTINGS: dict[str, Any] = {"temperature": 0, "max_tokens": 16, "seed": 1}


@pytest.fixture(scope="module")
def endpoint() -> tuple[str, str]:
    """Address and key of the local model's server."""
    address, key = served()
    return f"{address}/v1", key.reveal()


@pytest.fixture(scope="module")
def configured(endpoint: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration with the same model twice, ours and theirs."""
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(f"""
[providers.ours]
adapter = "openai-completions"
base_url = "{endpoint[0]}"
model = "smollm2"
api_key_env = "OPENAI_API_KEY"
options = {{ temperature = 0, max_tokens = 16, seed = 1 }}

[providers.theirs]
adapter = "runnable"
factory = "langchain_openai:OpenAI"
model = "smollm2"
options = {{ base_url = "{endpoint[0]}", temperature = 0, max_tokens = 16, seed = 1 }}
""")
    path.chmod(0o600)
    return path


def streamed(llm: LLM, engine: str) -> list[str]:
    """Return an answer's chunks."""

    async def run() -> list[str]:
        return [chunk async for chunk in llm.astream(PROMPT)]

    return list(llm.stream(PROMPT)) if engine == "sync" else asyncio.run(run())


def answered(llm: LLM, engine: str, prompt: PromptLike = PROMPT, **options: Any) -> Completion:
    """Return a whole answer, from a stream of it."""
    if engine == "sync":
        return llm.invoke(prompt, **options)
    return asyncio.run(llm.ainvoke(prompt, **options))


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_langchains_completions_stream_the_chunks_that_ours_stream(
    endpoint: tuple[str, str], engine: str
) -> None:
    where: dict[str, Any] = {"base_url": endpoint[0], "api_key": endpoint[1]}
    theirs = model("langchain_openai:OpenAI", named="smollm2", **where, **SETTINGS)
    ours = LLM("openai-completions/smollm2", **where, **SETTINGS)
    chunks = streamed(theirs, engine)
    assert chunks == streamed(ours, engine)
    assert len(chunks) > 5


@pytest.mark.parametrize("engine", ["--sync", "--async"])
@pytest.mark.parametrize("options", [["--separator", "|"], ["--no-stream", "-S", "|", "-n"]])
def test_the_command_prints_of_langchains_completions_what_it_prints_of_ours(
    configured: Path, endpoint: tuple[str, str], run_llmstream: Command, engine: str, options: list[str]
) -> None:
    printed, key = {}, {"OPENAI_API_KEY": endpoint[1]}
    for name in ("ours", "theirs"):
        words = ["-q", "--config", str(configured), "-m", name, engine, *options, PROMPT]
        status, printed[name], complaints = run_llmstream(*words, env=key)
        assert (status, complaints) == (0, "")
    assert printed["theirs"] == printed["ours"]
    assert printed["theirs"].count("|") == (1 if "--no-stream" in options else 17)


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_langchains_chat_model_gives_text_and_usage_as_ours_does(
    endpoint: tuple[str, str], engine: str
) -> None:
    where: dict[str, Any] = {"base_url": endpoint[0], "api_key": endpoint[1]}
    theirs = model("langchain_openai:ChatOpenAI", named="smollm2", stream_usage=True, **where, **SETTINGS)
    ours = LLM(Target("openai-chat", Endpoint("ours", "smollm2", "")), **where, **SETTINGS)
    expected, found = (answered(llm, engine) for llm in (ours, theirs))
    assert (found.text, found.finish_reason) == (expected.text, expected.finish_reason)
    assert found.usage.output_tokens == expected.usage.output_tokens == 16


@pytest.fixture
def talking() -> LLM:
    """A model made of LangChain's own classes, which notes what it is told."""
    langchain_models.told.clear()
    return model("foreign.langchain_models:Talking")


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_thinking_tool_calls_usage_and_finish_reason_of_langchains_chunks_are_understood(
    talking: LLM, engine: str
) -> None:
    check_talk(answered(talking, engine))


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_a_langchain_message_that_comes_whole_is_understood_as_well(talking: LLM, engine: str) -> None:
    plan = Plan(talking.targets, prompt_of("hello"), stream=False)

    async def run() -> Completion:
        stream = AsyncStream(lambda: abatches(plan))
        assert [chunk async for chunk in stream] == ["Hello"]
        return stream.completion

    if engine == "async":
        check_talk(asyncio.run(run()))
    else:
        stream = Stream(lambda: batches(plan))
        assert list(stream) == ["Hello"]
        check_talk(stream.completion)


def check_talk(completion: Completion) -> None:
    """Check all that `Talking` says."""
    assert (completion.text, completion.reasoning) == ("Hello", "so")
    (call,) = completion.tool_calls
    assert (call.id, call.name, json.loads(call.arguments)) == ("c1", "look", {"q": 1})
    assert (completion.finish_reason, completion.raw_finish_reason) == ("tool_calls", "tool_calls")
    usage = completion.usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (7, 5, 12)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (4, 2)


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_messages_stop_sequences_and_tools_reach_a_langchain_model(talking: LLM, engine: str) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    prompt = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]
    answered(talking, engine, prompt, stop=["x"], tools=tools, tool_choice="auto")
    (told,) = langchain_models.told
    assert [(message.type, message.content) for message in told["messages"]] == [
        ("system", "be brief"),
        ("human", "hello"),
    ]
    assert told["stop"] == ["x"]
    assert (told["tools"], told["tool_choice"]) == (tools, "auto")


def test_a_chain_that_a_module_has_made_is_asked(way: Way) -> None:
    assert way.chunks(model("foreign.langchain_models:chain")) == ["chained hello"]


@pytest.fixture
def released() -> Iterator[None]:
    """Lets the threads go that a blocked model holds."""
    langchain_models.released.clear()
    yield
    langchain_models.released.set()


@pytest.mark.usefixtures("released")
def test_a_langchain_model_that_only_blocks_does_not_hold_the_end_of_the_loop(way: Way) -> None:
    blocked = model("foreign.langchain_models:Blocked", Policy(first_token=0.3, max_retries=0))
    began = time.monotonic()
    assert isinstance(way.failure(blocked), TimeLimitPassed)
    assert time.monotonic() - began < 20
