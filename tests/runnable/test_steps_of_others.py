"""Steps of a composition that are not ours: LangChain's Runnables, generators that fail, outputs that add up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableGenerator, RunnableLambda

from llmstream import LLM, RunConfig, Runnable
from llmstream.runnable.functions import as_step, is_step
from runnable.little_server import LittleServer
from runnable.test_compose import atold, both_tellings, every_way, says, told


@pytest.fixture
def alpha(little: LittleServer) -> LLM:
    """A model that says alpha."""
    return little.llm(says("al", "pha"))


class Many(Runnable[object, Any]):
    """Gives one value after the other, from a list."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def invoke(self, input: object, config: RunConfig | None = None, **options: object) -> Any:
        return self.values[-1]

    def stream(self, input: object, config: RunConfig | None = None, **options: object) -> Iterator[Any]:
        return iter(list(self.values))

    def astream(
        self, input: object, config: RunConfig | None = None, **options: object
    ) -> AsyncIterator[Any]:
        return Counted(iter(self.values))


class Counted:
    """An async iterator that has nothing to close."""

    def __init__(self, values: Iterator[Any]) -> None:
        self._values = values

    def __aiter__(self) -> Counted:
        return self

    async def __anext__(self) -> Any:
        for value in self._values:
            return value
        raise StopAsyncIteration


@every_way
@pytest.mark.parametrize("theirs", [RunnableLambda(lambda text: f"<{text}>"), StrOutputParser()])
def test_a_runnable_of_langchains_is_a_step(way: Any, theirs: Any, alpha: LLM) -> None:
    assert "".join(way(alpha | theirs)) in ("<alpha>", "alpha")
    assert as_step(theirs) is not None and is_step(theirs)


@every_way
def test_its_chunks_go_on_as_they_come(way: Any, alpha: LLM) -> None:
    def upper(chunks: Iterator[Any]) -> Iterator[str]:
        for chunk in chunks:
            yield str(chunk).upper()

    async def aupper(chunks: AsyncIterator[Any]) -> AsyncIterator[str]:
        async for chunk in chunks:
            yield str(chunk).upper()

    found = way(alpha | RunnableGenerator(upper, aupper))
    assert "".join(found) == "ALPHA"


@both_tellings
def test_a_generator_that_fails_is_told_behind_what_it_gave(tell: Any, alpha: LLM) -> None:
    def failing(chunks: Iterator[Any]) -> Iterator[str]:
        yield "so far"
        raise KeyError("gone")

    async def afailing(chunks: AsyncIterator[Any]) -> AsyncIterator[str]:
        yield "so far"
        raise KeyError("gone")

    found: list[dict[str, Any]] = []
    step = failing if tell is told else afailing
    with pytest.raises(KeyError, match="gone"):
        collect(alpha | step, found, blocking=tell is told)
    names = [(event["event"], event["name"]) for event in found]
    assert ("on_chain_stream", step.__name__) in names


def collect(composed: Any, into: list[dict[str, Any]], *, blocking: bool) -> None:
    if blocking:
        for event in composed.stream_events("hi"):
            into.append(event)
        return

    async def run() -> None:
        async for event in composed.astream_events("hi"):
            into.append(event)

    asyncio.run(run())


@every_way
@pytest.mark.parametrize(
    ("values", "given"),
    [((1, 2, 3), 6), (({"a": 1}, {"b": 2}), {"b": 2}), ((), ""), (([1], [2]), [1, 2]), (("a", "b"), "ab")],
)
def test_what_comes_in_pieces_is_handed_on_as_one_value(way: Any, values: Any, given: Any) -> None:
    taken: list[Any] = []

    def take(value: Any) -> str:
        taken.append(value)
        return "taken"

    if not values and "stream" not in way.__name__:
        pytest.skip("nothing comes of it at all")
    assert "".join(way(Many(*values) | take)) == "taken"
    assert taken == [given if "stream" in way.__name__ else values[-1]]


@both_tellings
def test_events_of_such_a_step_are_told_too(tell: Any) -> None:
    events = tell(Many(1, 2) | str)
    assert events[-1]["event"] == "on_chain_end" and events[-1]["data"]["output"] in ("3", "2")
    assert tell in (told, atold)


@pytest.mark.parametrize("thing", [5, None, "text"])
def test_what_can_not_be_called_is_no_step(thing: Any) -> None:
    assert not is_step(thing)
    with pytest.raises(TypeError, match="a step is"):
        as_step(thing)
