"""`llmstream.batch` and `abatch`: results as they end, a failure is a result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, TypeAlias

import pytest

import llmstream
from jobs.conftest import Provider
from llmstream import AuthenticationError, Message, Prompt, RequestRefused, Result, UsageError

Asked: TypeAlias = Callable[..., list[Result]]


def blocking(inputs: Iterable[Any], **options: Any) -> list[Result]:
    return list(llmstream.batch(inputs, **options))


def asynchronous(inputs: Iterable[Any], **options: Any) -> list[Result]:
    async def whole() -> list[Result]:
        return [result async for result in llmstream.abatch(inputs, **options)]

    return asyncio.run(whole())


def of_an_async_iterable(inputs: Iterable[Any], **options: Any) -> list[Result]:
    async def later() -> AsyncIterator[Any]:
        for one in inputs:
            await asyncio.sleep(0)
            yield one

    return asynchronous(later(), **options)  # type: ignore[arg-type]


@pytest.fixture(params=[blocking, asynchronous, of_an_async_iterable], ids=lambda way: way.__name__)
def ask(request: pytest.FixtureRequest) -> Asked:
    found: Asked = request.param
    return found


def test_each_form_of_an_input_is_asked(ask: Asked, provider: Provider) -> None:
    inputs: list[Any] = [
        "a text",
        {"id": 7, "prompt": "a line"},
        [{"role": "user", "content": "messages"}],
        Prompt((Message("user", "a prompt"),)),
        {"id": "m", "messages": [Message("user", "in a line")]},
        {"n": 5, "prompt": "unused"},
    ]
    results = {result.id: result for result in ask(inputs, model=provider.target())}
    texts = {id_: result.text for id_, result in results.items()}
    assert texts == {
        "1": "re: a text", 7: "re: a line", "3": "re: messages", "4": "re: a prompt", "m": "re: in a line",
        "6": "re: unused",
    }  # fmt: skip
    assert all(result.error is None and result.timing is not None for result in results.values())
    assert results["1"].usage.input_tokens == len("re: a text")
    assert results["1"].to_dict()["key"] == results["1"].key


def test_a_failure_is_a_result_and_spoils_no_other(ask: Asked, provider: Provider) -> None:
    inputs: list[Any] = ["good", "refuse 400", {"id": "x"}, 5, "once 503 then good"]
    results = {result.id: result for result in ask(inputs, model=provider.target())}
    assert {id_ for id_, result in results.items() if result.error is None} == {"1", "5"}
    assert isinstance(results["2"].error, RequestRefused)
    assert isinstance(results["x"].error, UsageError)
    assert isinstance(results["4"].error, UsageError)
    assert all(len(result.key) == 32 for result in results.values())


def test_a_refused_key_ends_it_after_the_results(ask: Asked, provider: Provider) -> None:
    def inputs() -> Iterator[str]:
        while True:
            yield "refuse 401"

    with pytest.raises(AuthenticationError):
        ask(inputs(), model=provider.target(), max_concurrency=3)
    assert len(provider.asked) <= 6


def test_a_template_and_a_system_prompt_go_with_each(ask: Asked, provider: Provider) -> None:
    inputs = [{"id": 1, "word": "sun"}, {"id": 2, "word": "moon"}]
    results = ask(inputs, model=provider.target(), prompt="Define {word}.", system="Be brief.")
    assert sorted(result.text for result in results) == ["re: Define moon.", "re: Define sun."]


def test_endless_inputs_are_read_no_further_than_need_be(provider: Provider) -> None:
    taken = 0

    def inputs() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"endless {taken}"

    for number, _ in enumerate(llmstream.batch(inputs(), model=provider.target(), max_concurrency=3)):
        assert taken <= number + 1 + 2 * 3
        if number == 20:
            break
    assert len(provider.asked) <= 27


def test_a_slow_reader_holds_the_asking_back(provider: Provider) -> None:
    async def whole() -> int:
        results = llmstream.abatch(
            (f"slow {n}" for n in range(500)), model=provider.target(), max_concurrency=2
        )
        await anext(results)
        for _ in range(200):
            await asyncio.sleep(0.001)
        asked = len(await asyncio.to_thread(lambda: provider.asked))
        await results.aclose()
        return asked

    assert asyncio.run(whole()) <= 6


def test_batch_says_where_to_go_when_a_loop_runs(provider: Provider) -> None:
    async def inside() -> None:
        with pytest.raises(UsageError, match="event loop"):
            next(llmstream.batch(["x"], model=provider.target()))

    asyncio.run(inside())


@pytest.mark.parametrize("inputs", ["one text", {"prompt": "one"}])
def test_one_prompt_is_no_list_of_prompts(inputs: Any, provider: Provider) -> None:
    with pytest.raises(UsageError, match="list"):
        list(llmstream.batch(inputs, model=provider.target()))
