"""`bind`, `with_retry` and `with_fallbacks` around any Runnable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from llmstream import RunConfig, Runnable


class Scripted(Runnable[str, str]):
    """Streams scripted pieces, one script a run, the last again; an exception among them is raised."""

    def __init__(self, *scripts: list[str | Exception]) -> None:
        self.scripts = scripts
        self.runs = 0
        self.options: list[dict[str, object]] = []

    def _pieces(self, options: dict[str, object]) -> Iterator[str]:
        script = self.scripts[min(self.runs, len(self.scripts) - 1)]
        self.runs += 1
        self.options.append(options)
        for piece in script:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def invoke(self, input: str, config: RunConfig | None = None, **options: object) -> str:
        return "".join(self._pieces(options))

    def stream(self, input: str, config: RunConfig | None = None, **options: object) -> Iterator[str]:
        yield from self._pieces(options)

    async def astream(
        self, input: str, config: RunConfig | None = None, **options: object
    ) -> AsyncIterator[str]:
        for piece in self._pieces(options):
            yield piece


DOWN = OSError("down")
GOOD: list[str | Exception] = ["a", "b"]


def streamed(runnable: Runnable[str, str], asynchronous: bool, **options: Any) -> list[str]:
    """Return all chunks, as a list that a failure leaves behind in `Failed`."""
    found: list[str] = []

    async def run() -> None:
        async for chunk in runnable.astream("x", **options):
            found.append(chunk)

    try:
        if asynchronous:
            asyncio.run(run())
        else:
            for chunk in runnable.stream("x", **options):
                found.append(chunk)
    except Exception as error:
        raise Failed(found) from error
    return found


class Failed(Exception):
    """A stream failed; its argument is what came before."""


both = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


@both
def test_bound_options_are_given_to_every_call_and_its_own_go_first(asynchronous: bool) -> None:
    inner = Scripted(GOOD)
    bound = inner.bind(a=1, b=2)
    assert streamed(bound, asynchronous, b=3) == ["a", "b"]
    assert bound.invoke("x", c=4) == "ab"
    assert asyncio.run(bound.bind(a=9).ainvoke("x")) == "ab"
    assert inner.options == [{"a": 1, "b": 3}, {"a": 1, "b": 2, "c": 4}, {"a": 9, "b": 2}]
    assert [*bound.batch(["x"])] == ["ab"]


@both
def test_a_stream_is_tried_again_before_its_first_chunk(asynchronous: bool) -> None:
    inner = Scripted([DOWN], [DOWN], GOOD)
    assert streamed(inner.with_retry(wait_exponential_jitter=False), asynchronous) == ["a", "b"]
    assert inner.runs == 3


@both
def test_a_stream_is_not_tried_again_after_its_first_chunk(asynchronous: bool) -> None:
    inner = Scripted(["a", DOWN], GOOD)
    with pytest.raises(Failed) as failed:
        streamed(inner.with_retry(wait_exponential_jitter=False), asynchronous)
    assert failed.value.args == (["a"],)
    assert failed.value.__cause__ is DOWN
    assert inner.runs == 1


@both
def test_after_the_last_attempt_its_error_is_raised(asynchronous: bool) -> None:
    inner = Scripted([DOWN])
    with pytest.raises(Failed):
        streamed(inner.with_retry(stop_after_attempt=2, wait_exponential_jitter=False), asynchronous)
    assert inner.runs == 2


def test_only_the_named_exceptions_are_tried_again() -> None:
    inner = Scripted([DOWN], GOOD)
    wrapped = inner.with_retry(retry_if_exception_type=(ValueError,), wait_exponential_jitter=False)
    with pytest.raises(OSError, match="down"):
        wrapped.invoke("x")
    assert inner.runs == 1


@pytest.mark.parametrize("attempts", [0, 1])
def test_there_is_one_attempt_at_least(attempts: int) -> None:
    inner = Scripted(GOOD)
    assert [*inner.with_retry(stop_after_attempt=attempts).stream("x")] == ["a", "b"]
    assert inner.with_retry(stop_after_attempt=attempts).invoke("x") == "ab"


@both
def test_a_fallback_takes_over_before_the_first_chunk(asynchronous: bool) -> None:
    one, two, three = Scripted([DOWN]), Scripted([DOWN]), Scripted(GOOD)
    assert streamed(one.with_fallbacks([two, three]), asynchronous) == ["a", "b"]
    assert (one.runs, two.runs, three.runs) == (1, 1, 1)


@both
def test_no_fallback_takes_over_after_the_first_chunk(asynchronous: bool) -> None:
    spare = Scripted(GOOD)
    with pytest.raises(Failed) as failed:
        streamed(Scripted(["a", DOWN]).with_fallbacks([spare]), asynchronous)
    assert failed.value.args == (["a"],)
    assert spare.runs == 0


def test_fallbacks_hold_for_invoke_and_for_batches() -> None:
    wrapped = Scripted([DOWN]).with_fallbacks([Scripted(GOOD)])
    assert wrapped.invoke("x") == "ab"
    assert asyncio.run(wrapped.ainvoke("x")) == "ab"
    assert wrapped.batch(["x", "y"]) == ["ab", "ab"]


def test_only_the_named_exceptions_lead_to_a_fallback() -> None:
    spare = Scripted(GOOD)
    with pytest.raises(OSError, match="down"):
        Scripted([DOWN]).with_fallbacks([spare], exceptions_to_handle=(ValueError,)).invoke("x")
    assert spare.runs == 0


def test_when_all_fail_the_last_error_is_raised() -> None:
    last = ValueError("last")
    with pytest.raises(ValueError, match="last"):
        Scripted([DOWN]).with_fallbacks([Scripted([last])]).invoke("x")


@pytest.mark.parametrize(
    "wrap", [lambda r: r.bind(x=1), lambda r: r.with_retry()], ids=["bind", "with_retry"]
)
def test_events_are_named_after_what_is_wrapped(wrap: Any) -> None:
    wrapped: Runnable[str, str] = wrap(Scripted(GOOD))
    found = [*wrapped.stream_events("x")]
    assert {event["name"] for event in found} == {"Scripted"}
    assert [event["event"] for event in found].count("on_llm_stream") == 2


def test_leaving_a_wrapped_stream_ends_what_it_wraps() -> None:
    ended: list[str] = []

    class Endless(Scripted):
        def stream(self, input: str, config: RunConfig | None = None, **options: object) -> Iterator[str]:
            try:
                while True:
                    yield "a"
            finally:
                ended.append("yes")

    running = Endless().with_retry().stream("x")
    next(running)
    running.close()  # type: ignore[attr-defined]  # a generator
    assert ended == ["yes"]
