"""A Runnable of ours as a step of LangChain's: its chunks go on as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from llmstream.foreign.bridge import as_runnable


def stream(given: object) -> Iterator[object]:
    """Give the letters of an input."""
    yield from str(given)


async def astream(given: object) -> AsyncIterator[object]:
    """Give the letters of an input on a loop."""
    for one in str(given):
        yield one


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_chunks_go_on_one_by_one_as_the_next_step_can_take_them(engine: str) -> None:
    from langchain_core.runnables import RunnableGenerator

    made = as_runnable("ours", stream, astream, lambda chunk: f"<{chunk}>")
    assert isinstance(made, RunnableGenerator)
    assert made.get_name() == "ours"

    async def gathered() -> list[object]:
        return [one async for one in made.astream("ab")]

    found = asyncio.run(gathered()) if engine == "async" else list(made.stream("ab"))
    assert found == ["<a>", "<b>"]
