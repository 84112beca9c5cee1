"""The library's interface: what a Runnable gives by default, and what LLM makes of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import llmstream
from command.provider import TEXT, WORDS, Provider
from llmstream import LLM, AuthenticationError, RunConfig, Runnable, StreamEndedEarly, UsageError


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    server = Provider()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.stalled.set()
    server.shutdown()
    server.server_close()


def model(provider: Provider, scenario: str = "ok", **options: Any) -> LLM:
    return LLM("openai/m1", base_url=provider.url(scenario), api_key="sk-test-key", max_retries=0, **options)


class Echo(Runnable[str, str]):
    """Has only `invoke`."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.lock = threading.Lock()

    def invoke(self, input: str, config: RunConfig | None = None, **options: object) -> str:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.01)
        with self.lock:
            self.running -= 1
        if input == "bad":
            raise ValueError(input)
        return input.upper()


async def gathered(items: Any) -> list[Any]:
    return [item async for item in items]


def test_a_subclass_with_only_invoke_streams_exactly_one_value() -> None:
    assert list(Echo().stream("a")) == ["A"]
    assert asyncio.run(gathered(Echo().astream("a"))) == ["A"]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_its_events_hold_exactly_one_chunk(version: Any) -> None:
    config: RunConfig = {"run_name": "echo", "tags": ["t"], "metadata": {"k": 1}}
    for events in (
        list(Echo().stream_events("a", config, version=version)),
        asyncio.run(gathered(Echo().astream_events("a", config, version=version))),
    ):
        assert [event["event"] for event in events] == ["on_llm_start", "on_llm_stream", "on_llm_end"]
        assert events[1]["data"] == {"chunk": "A"}
        assert all(event["name"] == "echo" and event["tags"] == ["t"] for event in events)
        assert len({event["run_id"] for event in events}) == 1


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_batch_keeps_order_and_one_failure_spoils_no_other(asynchronous: bool) -> None:
    echo = Echo()
    inputs = ["a", "bad", "c", "d"]
    config: RunConfig = {"max_concurrency": 2}
    if asynchronous:
        found = asyncio.run(echo.abatch(inputs, config, return_exceptions=True))
    else:
        found = echo.batch(inputs, config, return_exceptions=True)
    assert [str(one) for one in found] == ["A", "bad", "C", "D"]
    assert isinstance(found[1], ValueError)
    assert echo.most <= 2
    with pytest.raises(ValueError, match="bad"):
        echo.batch(inputs)
    assert echo.batch([]) == []


def test_as_completed_gives_positions() -> None:
    assert dict(Echo().batch_as_completed(["a", "b"])) == {0: "A", 1: "B"}
    assert dict(asyncio.run(gathered(Echo().abatch_as_completed(["a", "b"])))) == {0: "A", 1: "B"}


def test_configs_are_checked() -> None:
    with pytest.raises(UsageError, match="max_concurency"):
        Echo().batch(["a"], {"max_concurency": 2})  # type: ignore[arg-type]  # the mistake
    with pytest.raises(UsageError, match="2 configs for 1"):
        Echo().batch(["a"], [{}, {}])


def test_fallbacks_and_retries_hold_until_the_first_chunk() -> None:
    tries = []

    class Flaky(Echo):
        def stream(self, input: str, config: RunConfig | None = None, **options: object) -> Iterator[str]:
            tries.append(input)
            if len(tries) < 3:
                raise ValueError("early")
            yield "one"
            raise ValueError("late")

    stream = Flaky().with_retry(wait_exponential_jitter=False).stream("a")
    assert next(stream) == "one"
    with pytest.raises(ValueError, match="late"):
        next(stream)
    assert len(tries) == 3
    assert Echo().with_fallbacks([Echo()]).invoke("a") == "A"
    assert Echo().bind().invoke("a") == "A"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_model_streams_its_chunks_and_has_the_completion_at_the_end(
    provider: Provider, asynchronous: bool
) -> None:
    async def run() -> tuple[list[str], llmstream.Completion]:
        async with model(provider).astream("hi") as stream:
            return [chunk async for chunk in stream], stream.completion

    if asynchronous:
        chunks, completion = asyncio.run(run())
    else:
        with model(provider).stream([{"role": "user", "content": "hi"}]) as stream:
            chunks, completion = list(stream), stream.completion
    assert chunks == WORDS
    assert (str(completion), completion.finish_reason) == (TEXT, "stop")
    assert completion.timing.chunks == len(WORDS)


def test_invoke_batch_and_events_say_the_same(provider: Provider) -> None:
    llm = model(provider, temperature=0)
    assert str(llm.invoke("hi")) == TEXT
    assert [str(one) for one in llm.batch(["a", "b"])] == [TEXT, TEXT]
    texts = [event.text for event in llm.events("hi") if isinstance(event, llmstream.TextDelta)]
    assert texts == WORDS
    events = asyncio.run(gathered(llm.astream_events("hi")))
    assert [event["data"]["chunk"] for event in events if event["event"] == "on_llm_stream"] == WORDS


def test_an_error_is_an_event_and_then_raised(provider: Provider) -> None:
    seen = []
    with pytest.raises(StreamEndedEarly):
        for event in model(provider, "cut").stream_events("hi"):
            seen.append(event["event"])
    assert seen[-1] == "on_llm_error"
    with pytest.raises(AuthenticationError, match="401") as caught:
        model(provider, "401").invoke("hi")
    assert "sk-test-key" not in str(caught.value)


def test_a_model_falls_back_before_its_first_chunk(provider: Provider) -> None:
    llm = model(provider, "401").with_fallbacks([model(provider)])
    assert str(llm.invoke("hi")) == TEXT


def test_a_misspelt_option_is_named(provider: Provider) -> None:
    with pytest.raises(UsageError, match="temperature"):
        model(provider, temprature=1)


def test_everything_public_is_there_and_importing_is_cheap() -> None:
    assert all(getattr(llmstream, name) is not None for name in llmstream.__all__)
    program = "import sys; before = set(sys.modules); import llmstream; print(len(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    # typing and what it needs, and nothing of ours
    assert int(found.stdout) < 40
