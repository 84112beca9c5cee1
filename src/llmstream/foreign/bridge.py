"""Lets a Runnable of ours be a step in a LangChain chain.

LangChain accepts any callable as a step.  If the call returns a LangChain Runnable, LangChain runs that
instead, so returning one lets chunks pass through as they arrive.

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
    """Return a LangChain Runnable.

    Args:
        name: the name in its events.
        stream: yields the chunks for an input.
        astream: like `stream`, on an event loop.
        shown: converts a chunk to what the next step accepts.
    """
    # installed, because only LangChain calls this
    from langchain_core.runnables import RunnableGenerator

    def transform(inputs: Iterator[object]) -> Iterator[object]:
        for one in inputs:
            yield from map(shown, stream(one))

    async def atransform(inputs: AsyncIterator[object]) -> AsyncIterator[object]:
        async for one in inputs:
            async for chunk in astream(one):
                yield shown(chunk)

    return RunnableGenerator(transform, atransform, name=name)
