"""Objects of all kinds as models, blocking and on an event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from foreign import objects
from foreign.foreign_models import model
from llmstream import LLMStreamError, TimeLimitPassed, errors
from llmstream.engine.policy import Policy
from llmstream.prompt import ToolCall
from llmstream.runnable.calls import adapter_of, batches
from llmstream.runnable.plan import Plan
from llmstream.runnable.prompts import prompt_of
from runnable.fixtures import Way


@pytest.mark.parametrize(
    ("factory", "arguments", "chunks"),
    [
        ("Streaming", {}, ["a", "b", "c"]),
        ("Streaming", {"words": "é 🥤 \u2028"}, ["é", "🥤"]),
        ("Streaming", {"words": ""}, []),
        ("AsyncStreaming", {}, ["a", "b", "c"]),
        ("Invoking", {}, ["whole"]),
        ("Invoking", {"answer": ""}, [""]),
        ("AsyncInvoking", {}, ["whole"]),
        ("make_streaming", {"words": "x y"}, ["x", "y"]),
        ("finished", {}, ["made", "before"]),
    ],
)
def test_whatever_can_be_asked_answers(
    way: Way, factory: str, arguments: dict[str, Any], chunks: list[str]
) -> None:
    assert way.chunks(model(factory, **arguments)) == chunks


def test_all_that_a_chat_model_says_is_understood() -> None:
    completion = model("Chatting").invoke("hello")
    assert completion.text == "Hello"
    assert completion.reasoning == "well, so"
    assert completion.tool_calls == (ToolCall(0, "c1", "look", '{"q":1}'),)
    assert (completion.finish_reason, completion.raw_finish_reason) == ("tool_calls", "end_turn")
    usage = completion.usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (7, 5, 12)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (4, 2)


def test_an_object_that_says_no_reason_has_finished_for_an_unknown_one() -> None:
    assert model("Streaming").invoke("hello").finish_reason == "unknown"


@pytest.mark.parametrize("factory", ["Streaming", "AsyncStreaming", "Invoking"])
def test_without_streaming_there_is_one_chunk(factory: str) -> None:
    llm = model(factory)
    plan = Plan(llm.targets, prompt_of("hello"), stream=False)
    texts = [event.text for batch in batches(plan) for event in batch if hasattr(event, "text")]
    assert len(texts) == 1
    assert texts[0] in ("abc", "whole")


def test_options_of_a_call_go_over_the_configured_ones_and_over_both_the_model() -> None:
    objects.made.clear()
    llm = model("Recalling", named="large", temperature=1, seed=3)
    list(llm.stream("hello", temperature=0, stop=["x"], other={"deep": [1]}))
    expected = {"temperature": 0, "seed": 3, "stop": ["x"], "other": {"deep": [1]}, "model": "large"}
    assert objects.made == [expected]


def test_a_model_takes_the_place_of_the_one_that_is_configured_by_its_other_name() -> None:
    objects.made.clear()
    list(model("Recalling", named="large", model_name="small").stream("hello"))
    assert objects.made == [{"model_name": "large"}]


def test_one_object_is_made_for_equal_arguments_and_asked_again() -> None:
    objects.made.clear()
    llm = model("Recalling", number=1)
    for _ in range(3):
        list(llm.stream("hello"))
    list(llm.stream("hello", number=2))
    assert objects.made == [{"number": 1}, {"number": 2}]


def test_a_text_comes_as_text_and_more_than_that_as_messages() -> None:
    objects.asked.clear()
    llm = model("Recalling")
    list(llm.stream("hello"))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    parts = [{"type": "text", "text": "look"}, image]
    list(llm.stream([{"role": "system", "content": "be brief"}, {"role": "user", "content": parts}]))
    assert objects.asked == [
        "hello",
        [{"role": "system", "content": "be brief"}, {"role": "user", "content": parts}],
    ]


@pytest.mark.parametrize("factory", ["Endless", "AsyncEndless"])
def test_leaving_early_closes_the_object(way: Way, factory: str) -> None:
    objects.left.clear()
    assert way.beginning(model(factory), 2) == ["x", "x"]
    assert objects.left == ["stream" if factory == "Endless" else "astream"]


@pytest.mark.parametrize("factory", ["Hanging", "AsyncHanging"])
@pytest.mark.parametrize(("first", "phase"), [(True, "stream"), (False, "first_token")])
def test_limits_hold_while_an_object_blocks(way: Way, factory: str, first: bool, phase: str) -> None:
    began = time.monotonic()
    policy = Policy(first_token=0.3 if not first else 20, idle=0.3, max_retries=0)
    found, error = way.outcome(model(factory, policy, first=first))
    assert isinstance(error, TimeLimitPassed)
    assert (found, error.phase) == (["x"] if first else [], phase)
    assert time.monotonic() - began < 10


def test_the_loop_runs_on_while_an_object_blocks() -> None:
    async def run() -> int:
        stream = model("Hanging", Policy(first_token=0.4, max_retries=0), first=False).astream("hello")
        task = asyncio.create_task(anext(stream))
        turns = 0
        while not task.done():
            await asyncio.sleep(0.01)
            turns += 1
        with pytest.raises(TimeLimitPassed):
            task.result()
        return turns

    assert asyncio.run(run()) > 10


def test_a_cancelled_task_closes_the_object() -> None:
    objects.left.clear()

    async def run() -> None:
        begun = asyncio.Event()

        async def read() -> None:
            async with model("AsyncEndless").astream("hello") as stream:
                async for _ in stream:
                    begun.set()

        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert objects.left == ["astream"]


@pytest.mark.parametrize("factory", ["Streaming", "Endless", "AsyncEndless"])
def test_no_thread_is_left_behind(way: Way, factory: str) -> None:
    before = set(threading.enumerate())
    way.beginning(model(factory), 1)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("how", "after", "kind", "retryable"),
    [
        ("401", 0, errors.AuthenticationError, False),
        ("403", 0, errors.AuthenticationError, False),
        ("400", 0, errors.RequestRefused, False),
        ("404", 0, errors.RequestRefused, False),
        ("429", 0, errors.Unavailable, True),
        ("503", 1, errors.Unavailable, True),
        ("connection", 0, errors.ConnectionFailed, True),
        ("connection", 2, errors.StreamBroken, True),
        ("otherwise", 0, errors.LocalModelError, False),
        ("otherwise", 2, errors.LocalModelError, False),
        ("exit", 0, errors.LocalModelError, False),
    ],
)
def test_exceptions_become_errors_of_ours(
    way: Way, how: str, after: int, kind: type[LLMStreamError], retryable: bool
) -> None:
    found, error = way.outcome(model("Failing", how=how, after=after))
    assert found == ["x"] * after
    assert type(error) is kind
    assert error.retryable is retryable
    assert error.provider == "mine"
    assert error.message.startswith("mine (foreign.objects:Failing): ")
    assert any(
        name in error.message for name in ("StatusError", "APIConnection", "RuntimeError", "SystemExit")
    )


@pytest.mark.parametrize("how", ["401", "otherwise"])
def test_no_error_repeats_a_key(way: Way, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-0123456789abcdef"
    error = way.failure(model("Failing", how=how, api_key=key))
    assert key not in error.message
    assert "[option api_key]" in error.message
    # a traceback would show it too
    assert error.__cause__ is None
    monkeypatch.setenv("MY_API_KEY", "refused, says")
    assert "[$MY_API_KEY]" in way.failure(model("Failing", how="400")).message


def test_what_is_tried_again_is_asked_again(way: Way) -> None:
    error = way.failure(model("Failing", Policy(max_retries=1), how="429"))
    assert isinstance(error, errors.Unavailable)


@pytest.mark.parametrize(
    ("factory", "arguments", "said"),
    [
        ("Streeming", {}, 'has no "Streeming"; did you mean "Streaming"?'),
        ("no_such_module:X", {}, 'no module "no_such_module"'),
        ("foreign.no_such:X", {}, 'no module "foreign.no_such"'),
        ("Strict", {"size": 3}, "can't be made with size: ValueError: a size of 3 is too large"),
        ("Strict", {"sise": 3}, "can't be made with sise: TypeError"),
        ("finished", {"words": "x"}, "it is a finished object; remove options: words"),
        ("NoModel", {}, "an object of class NoModel has neither stream nor invoke"),
    ],
)
def test_a_wrong_factory_is_a_mistake_in_the_configuration(
    way: Way, factory: str, arguments: dict[str, Any], said: str
) -> None:
    error = way.failure(model(factory, **arguments))
    assert isinstance(error, errors.ConfigError)
    assert said in error.message
    assert error.phase == "config"


def test_tools_need_an_object_that_takes_them(way: Way) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {}}}
    llm = model("Streaming").bind(tools=[tool])
    with pytest.raises(errors.ConfigError, match="doesn't accept tools"):
        llm.invoke("hello")


def test_what_is_no_text_is_said(way: Way) -> None:
    error = way.failure(model("Wrong"))
    assert isinstance(error, errors.BadMessage)
    assert "'int'" in error.message


def test_the_kind_of_model_is_told_by_its_name() -> None:
    assert getattr(adapter_of(model("Chatting").targets[0]), "kind", "") == "chat"
    assert getattr(adapter_of(model("Streaming").targets[0]), "kind", "") == "llm"
