"""A Runnable of ours in a chain of LangChain's: what LangChain is given when it calls one as a step.

LangChain takes whatever can be called as a step, and asks what it returns in its place where that is
a Runnable of LangChain's; this is one, so that chunks go on as they come.

Source: langchain-core 1.8, `coerce_to_runnable` and `RunnableLambda`, "the output is a Runnable".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator


def as_runnable(
    name: str,
    stream: Callable[..., Iterator[object]],
    astream: Callable[..., AsyncIterator[object]],
    shown: Callable[[object], object],
) -> object:
    """Return a Runnable of LangChain's.

    Args:
        name: the name of its events.
        stream: yields the chunks for an input.
        astream: yields them on an event loop.
        shown: converts a chunk to what the next step accepts.
    """
    # there, since only LangChain asks for this
    from langchain_core.runnables import RunnableGenerator

    def transform(inputs: Iterator[object]) -> Iterator[object]:
        for one in inputs:
            yield from map(shown, stream(one))

    async def atransform(inputs: AsyncIterator[object]) -> AsyncIterator[object]:
        async for one in inputs:
            async for chunk in astream(one):
                yield shown(chunk)

    return RunnableGenerator(transform, atransform, name=name)
