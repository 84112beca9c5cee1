"""Ways to the same answer: eight providers of the real model, and the library's two engines."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

from llmstream import LLM, Completion

DIALECTS: Final = ("openai-completions", "openai-chat", "openai-responses", "anthropic")
PROVIDERS: Final = tuple(f"{how}-{dialect}" for how in ("local", "http") for dialect in DIALECTS)
WAYS: Final = ("sync", "async")


class Answer(NamedTuple):
    """The chunks of an answer, and what there is at its end."""

    chunks: list[str]
    completion: Completion


class Way:
    """One of the library's two engines.

    Args:
        name: of `WAYS`; the command's option is named like it.
    """

    def __init__(self, name: Literal["sync", "async"]) -> None:
        self.name = name

    def answer(self, llm: LLM, prompt: Any, **options: Any) -> Answer:
        """Return a whole answer in its chunks."""
        if self.name == "sync":
            with llm.stream(prompt, **options) as stream:
                return Answer([*stream], stream.completion)

        async def run() -> Answer:
            async with llm.astream(prompt, **options) as stream:
                return Answer([chunk async for chunk in stream], stream.completion)

        return asyncio.run(run())

    def beginning(self, llm: LLM, count: int, prompt: Any, **options: Any) -> list[str]:
        """Return the first chunks of an answer and leave it."""
        if self.name == "sync":
            with llm.stream(prompt, **options) as stream:
                return [*islice(stream, count)]

        async def run() -> list[str]:
            async with llm.astream(prompt, **options) as stream:
                return [await anext(stream) for _ in range(count)]

        return asyncio.run(run())
