"""The public interface as a user would write with it: to be type-checked, never to be run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

import llmstream
from llmstream import (
    LLM,
    AsyncStream,
    Completion,
    Event,
    Finish,
    LLMStreamError,
    Message,
    Notice,
    Prompt,
    ProviderError,
    ReasoningDelta,
    RunConfig,
    Runnable,
    Start,
    Step,
    Stream,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
    Winner,
)


def streams(llm: LLM) -> None:
    for chunk in llm.stream("Write me a 1 verse song about sparkling water."):
        assert_type(chunk, str)
        print(chunk, end="|", flush=True)
    with llm.stream([{"role": "user", "content": "hi"}], temperature=0, stop=["\n"]) as stream:
        assert_type(stream, Stream)
        chunks = list(stream)
    assert_type(chunks, list[str])
    assert_type(stream.completion, Completion)
    assert_type(stream.completion.usage, Usage)
    assert_type(stream.completion.usage.input_tokens, int | None)
    assert_type(stream.completion.tool_calls, tuple[ToolCall, ...])
    assert_type(stream.completion.timing.itl.p95, float | None)


async def async_streams(llm: LLM) -> None:
    async with llm.astream(Prompt((Message("user", "hi"),))) as stream:
        assert_type(stream, AsyncStream)
        async for chunk in stream:
            assert_type(chunk, str)
    assert_type(await llm.ainvoke("hi"), Completion)
    async for event in llm.aevents("hi"):
        told(event)
    async for entry in llm.astream_events("hi", version="v1"):
        print(entry["event"], entry["data"])


def whole(llm: LLM) -> str:
    config: RunConfig = {"tags": ["a"], "metadata": {"k": 1}, "run_name": "n", "max_concurrency": 2}
    assert_type(llm.invoke("hi", config, max_tokens=5), Completion)
    assert_type(llm.batch(["a", "b"], config, return_exceptions=True), list[Completion | Exception])
    for position, outcome in llm.batch_as_completed(["a", "b"]):
        assert_type(position, int)
        assert_type(outcome, Completion | Exception)
    assert_type(llm.bind(temperature=0), LLM)
    other = llm.with_retry(stop_after_attempt=2).with_fallbacks([llm])
    return str(other.invoke("hi"))


def told(event: Event) -> str:
    match event:
        case TextDelta(text) | ReasoningDelta(text):
            return text
        case ToolCallDelta(index, id_, name, arguments):
            return f"{index} {id_} {name} {arguments}"
        case Finish(reason):
            return reason
        case Start() | Usage() | Notice() | Winner():
            return ""
        case Step(inner):
            return str(inner["event"])
        case _:
            return event.error


def caught(llm: LLM) -> None:
    try:
        llm.invoke("hi")
    except ProviderError as error:
        assert_type(error.status, int | None)
    except LLMStreamError as error:
        print(error.message, error.hint, error.retryable, error.phase)


class Shouting(Runnable[str, str]):
    """A Runnable of the user's own."""

    def invoke(self, input: str, config: RunConfig | None = None, **options: object) -> str:
        return input.upper()


def own() -> None:
    shouting = Shouting().with_retry()
    assert_type(shouting.invoke("hi"), str)
    assert_type(shouting.stream("hi"), Iterator[str])
    assert_type(shouting.astream("hi"), AsyncIterator[str])
    print(llmstream.__version__)


async def own_batch() -> None:
    assert_type(await Shouting().abatch(["a"]), list[str | Exception])


def models() -> None:
    LLM()
    LLM("openai/gpt-5-mini", base_url="http://localhost", api_key="k", max_retries=0, timeout={"idle": 5.0})
