"""`LLM` against a server on this machine: streams, completions, events, errors, and how it is left."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Literal

import pytest

from llmstream import (
    LLM,
    AsyncStream,
    AuthenticationError,
    Completion,
    Finish,
    LLMStreamError,
    Message,
    Prompt,
    Retry,
    Start,
    Stream,
    StreamBroken,
    TextDelta,
    Usage,
    UsageError,
)
from llmstream.engine.policy import Policy
from runnable.fixtures import Way
from runnable.little_server import VERSE, LittleServer, Script, new_tag

TEXT = "".join(VERSE)
REFUSED: Script = [["refuse", 401, {"error": {"message": "who are you?"}}]]
BROKEN: Script = [["head"], ["text", "half"], ["text", " of it"], ["close"]]


def test_a_stream_has_the_completion_at_its_end(little: LittleServer) -> None:
    with little.llm().stream("hello") as stream:
        assert isinstance(stream, Stream)
        assert next(stream) == VERSE[0]
        assert stream.completion.text == VERSE[0]
        assert stream.completion.finish_reason == "unknown"
        assert [*stream] == [*VERSE[1:], ""]
    done = stream.completion
    assert (done.text, done.finish_reason, done.usage) == (TEXT, "stop", Usage(5, 9, 14))
    assert (done.provider, done.model, done.timing.chunks) == ("little", "m", len(VERSE) + 1)
    assert done.timing.ttft is not None


def test_an_async_stream_has_it_too(little: LittleServer) -> None:
    async def run() -> Completion:
        async with little.llm().astream("hello") as stream:
            assert isinstance(stream, AsyncStream)
            assert [chunk async for chunk in stream] == [*VERSE, ""]
        return stream.completion

    assert asyncio.run(run()).text == TEXT


def test_invoke_gives_a_completion(little: LittleServer) -> None:
    for done in (little.llm().invoke("hello"), asyncio.run(little.llm().ainvoke("hello"))):
        assert isinstance(done, Completion)
        assert str(done) == TEXT


def test_a_closed_stream_is_over_and_may_be_closed_again(little: LittleServer) -> None:
    tag = new_tag()
    stream = little.llm([["head"], ["text", "a"], ["hang"]], tag=tag).stream("hello")
    assert next(stream) == "a"
    stream.close()
    little.left(tag)
    stream.close()
    assert [*stream] == []
    assert (stream.completion.text, stream.completion.finish_reason) == ("a", "cancelled")


def test_a_stream_that_was_never_begun_asks_nobody(little: LittleServer) -> None:
    tag = new_tag()
    little.llm(tag=tag).stream("hello").close()
    asyncio.run(little.llm(tag=tag).astream("hello").aclose())
    assert little.count(tag) == 0


def test_an_exception_in_its_block_closes_a_stream(little: LittleServer) -> None:
    tag = new_tag()
    llm = little.llm([["head"], ["text", "a"], ["hang"]], tag=tag)
    with pytest.raises(ZeroDivisionError), llm.stream("hello") as stream:
        raise ZeroDivisionError(next(stream))
    little.left(tag)


@pytest.mark.parametrize("events", ["stream_events", "events", "stream"])
def test_leaving_events_closes_the_connection(little: LittleServer, events: str) -> None:
    tag = new_tag()
    running: Any = getattr(little.llm([["head"], ["text", "xyz"], ["hang"]], tag=tag), events)("hello")
    while "xyz" not in str(next(running)):
        pass
    running.close()
    little.left(tag)


@pytest.mark.parametrize("events", ["astream_events", "aevents", "astream"])
def test_leaving_async_events_closes_the_connection(little: LittleServer, events: str) -> None:
    async def run() -> None:
        tag = new_tag()
        running: Any = getattr(little.llm([["head"], ["text", "xyz"], ["hang"]], tag=tag), events)("hello")
        while "xyz" not in str(await anext(running)):
            pass
        await running.aclose()
        await asyncio.to_thread(little.left, tag)

    asyncio.run(run())


def test_typed_events(little: LittleServer) -> None:
    async def run(llm: LLM) -> list[Any]:
        return [event async for event in llm.aevents("hello")]

    wanted = [
        Start("little", "m"),
        *map(TextDelta, VERSE),
        TextDelta(""),
        Finish("stop", "stop"),
        Usage(5, 9, 14),
    ]
    assert [*little.llm().events("hello")] == wanted
    assert asyncio.run(run(little.llm())) == wanted


@pytest.mark.parametrize(
    "prompt",
    [
        [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}],
        [Message("system", "be brief"), Message("user", "hello")],
        Prompt((Message("system", "be brief"), Message("user", "hello"))),
    ],
    ids=["dictionaries", "messages", "prompt"],
)
def test_a_prompt_may_be_messages(little: LittleServer, prompt: Any) -> None:
    tag = new_tag()
    assert little.llm(tag=tag, adapter="openai-chat").invoke(prompt).text == TEXT
    said = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]
    assert little.seen(tag)["body"]["messages"] == said


@pytest.mark.parametrize("prompt", ["", [], [{"role": "user"}], [{"role": "nobody", "content": "x"}], 7])
def test_what_is_no_prompt_is_refused_before_any_request(little: LittleServer, prompt: Any) -> None:
    with pytest.raises(UsageError):
        little.llm().stream(prompt)
    with pytest.raises(UsageError):
        little.llm().astream(prompt)


def test_options_of_a_call_go_over_bound_ones_and_these_over_the_models(little: LittleServer) -> None:
    tag = new_tag()
    llm = little.llm(tag=tag).bind(temperature=0.5, max_tokens=5)
    llm.invoke("hello", max_tokens=7, stop="\n")
    body = little.seen(tag)["body"]
    assert (body["temperature"], body["max_tokens"], body["stop"]) == (0.5, 7, ["\n"])


def test_an_option_that_is_none_is_not_given(little: LittleServer) -> None:
    tag = new_tag()
    little.llm(tag=tag).bind(seed=7).invoke("hello", temperature=None, stop=None, seed=None, own=None)
    body = little.seen(tag)["body"]
    assert not {"temperature", "stop"} & set(body)
    assert (body["seed"], body["own"]) == (7, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"timeout": {"idel": 1}}, '"idel"; did you mean "idle"'),
        ({"timeout": {"idle": -1}}, "idle is -1"),
        ({"timeout": {"idle": "9"}}, "idle must be a number of seconds"),
        ({"max_retries": -1}, "max_retries is -1"),
        ({"temprature": 1}, 'did you mean "temperature"'),
        ({"base_url": "localhost:8080/v1"}, "localhost:8080/v1"),
        ({"base_url": "file:///etc"}, "file:///etc"),
        ({"base_url": "http://"}, "no host"),
        ({"base_url": "http://[::1/v1"}, "IPv6"),
        ({"base_url": "http://acme.test:x/v1"}, "Port"),
        ({"base_url": "http://acme.test/v 1"}, "space"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_an_argument_that_can_not_be_used_is_named_at_once(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        LLM("openai-completions/m", **{"api_key": "sk-x", **arguments})


@pytest.mark.parametrize(
    "key", ["sk-sec\nret", "sk-secret\r", "sk-\x00secret", "sk-secrét", "sk-secret\u2028"]
)
def test_a_key_that_can_not_be_sent_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        LLM("openai-completions/m", api_key=key)
    error: BaseException | None = caught.value
    while error is not None:
        assert "sec" not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


def test_a_model_is_had_by_its_name(little: LittleServer) -> None:
    llm = LLM("openai-completions/m", base_url=f"{little.base_url}/", api_key="sk-x", max_retries=0)
    assert [*llm.stream("hello")] == [*VERSE, ""]


def test_a_key_that_the_server_repeats_is_not_shown(little: LittleServer, way: Way) -> None:
    error = way.failure(little.llm([["refuse", 401, {"error": {"message": "bad key: sk-little"}}]]))
    assert isinstance(error, AuthenticationError)
    assert "sk-little" not in f"{error} {error!r} {error.hint}"
    assert "$LITTLE_KEY" in error.message


def test_an_error_comes_behind_the_chunks(little: LittleServer, way: Way) -> None:
    chunks, error = way.outcome(little.llm(BROKEN))
    assert (chunks, type(error)) == (["half", " of it"], StreamBroken)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_error_is_an_event_and_then_raised(little: LittleServer, version: Literal["v1", "v2"]) -> None:
    async def run(found: list[Any]) -> None:
        async for event in little.llm(BROKEN).astream_events("hello", version=version):
            found.append(event)

    blocking: list[Any] = []
    with pytest.raises(StreamBroken):
        blocking.extend(little.llm(BROKEN).stream_events("hello", version=version))
    on_loop: list[Any] = []
    with pytest.raises(StreamBroken):
        asyncio.run(run(on_loop))
    for found in (blocking, on_loop):
        kinds = [event["event"] for event in found]
        assert kinds == ["on_llm_start", "on_llm_stream", "on_llm_stream", "on_llm_error"]
        assert found[-1]["data"]["text"] == "half of it"
        assert found[-1]["data"]["error"]["type"] == "StreamBroken"


def test_retries_are_events(little: LittleServer) -> None:
    refused: Script = [["refuse", 503, {}, {"retry-after-ms": "1"}]]
    llm = little.llm(refused, [["head"], ["text", "a", "stop"], ["done"]], tag=new_tag()).with_retry()
    found = [*llm.stream_events("hello")]
    retries = [event for event in found if event["name"] == "llmstream.retry"]
    assert [event["event"] for event in retries] == ["on_custom_event"]
    assert found[-1]["event"] == "on_llm_end"


def test_with_retry_sets_how_often_a_model_is_asked(little: LittleServer) -> None:
    tag = new_tag()
    llm = little.llm([["refuse", 503, {}, {"retry-after-ms": "1"}]], tag=tag)
    with pytest.raises(LLMStreamError):
        llm.with_retry(stop_after_attempt=4).invoke("hello")
    assert little.count(tag) == 4


def test_a_fallback_is_asked_and_told(little: LittleServer) -> None:
    llm = little.llm(REFUSED).with_fallbacks([little.llm()])
    assert isinstance(llm, LLM)
    assert llm.invoke("hello").text == TEXT
    assert [event["name"] for event in llm.stream_events("hello")].count("llmstream.fallback") == 1


def test_models_and_other_runnables_can_stand_in_for_each_other(little: LittleServer, way: Way) -> None:
    mixed: Any = little.llm(REFUSED).with_fallbacks(
        [little.llm()], exceptions_to_handle=(AuthenticationError,)
    )
    assert not isinstance(mixed, LLM)
    assert way.chunks(mixed) == [*VERSE, ""]
    never: Any = little.llm(REFUSED).with_fallbacks([little.llm()], exceptions_to_handle=(ValueError,))
    assert isinstance(way.failure(never), AuthenticationError)


def test_a_batch_asks_once_for_each_and_one_refusal_spoils_no_other(little: LittleServer) -> None:
    tag = new_tag()
    answer: Script = [["head"], ["text", "a", "stop"], ["done"]]
    llm = little.llm(answer, REFUSED, answer, tag=tag)
    found = llm.batch(["one", "two", "three"], {"max_concurrency": 1}, return_exceptions=True)
    assert [getattr(one, "text", type(one)) for one in found] == ["a", AuthenticationError, "a"]
    assert little.count(tag) == 3


def test_retry_events_are_typed(little: LittleServer) -> None:
    refused: Script = [["refuse", 503, {}, {"retry-after-ms": "1"}]]
    llm = little.llm(refused, [["head"], ["text", "a", "stop"], ["done"]], tag=new_tag(), policy=Policy())
    assert [type(event) for event in llm.events("hello")][:3] == [Start, Retry, Start]
