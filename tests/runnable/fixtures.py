"""What tests of the library and of its transports share: a server, and two ways to do the same."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import islice

import pytest

from llmstream import LLM, LLMStreamError
from runnable.little_server import LittleServer


class Way(ABC):
    """How an answer is streamed: with threads or with an event loop."""

    def chunks(self, llm: LLM) -> list[str]:
        """Return all chunks of an answer."""
        found, error = self.outcome(llm)
        if error is not None:
            raise error
        return found

    def failure(self, llm: LLM) -> LLMStreamError:
        """Return the error that an answer ends with."""
        error = self.outcome(llm)[1]
        assert error is not None
        return error

    @abstractmethod
    def outcome(self, llm: LLM) -> tuple[list[str], LLMStreamError | None]:
        """Return what came, and the error behind it if there was one."""

    @abstractmethod
    def beginning(self, llm: LLM, count: int) -> list[str]:
        """Return the first chunks of an answer and leave it."""


class Blocking(Way):
    """By `stream`."""

    def outcome(self, llm: LLM) -> tuple[list[str], LLMStreamError | None]:
        found: list[str] = []
        try:
            for chunk in llm.stream("hello"):
                found.append(chunk)  # what came before an error is wanted
        except LLMStreamError as error:
            return found, error
        return found, None

    def beginning(self, llm: LLM, count: int) -> list[str]:
        with llm.stream("hello") as stream:
            return [*islice(stream, count)]


class OnLoop(Way):
    """By `astream`."""

    def outcome(self, llm: LLM) -> tuple[list[str], LLMStreamError | None]:
        async def run() -> tuple[list[str], LLMStreamError | None]:
            found: list[str] = []
            try:
                async for chunk in llm.astream("hello"):
                    found.append(chunk)
            except LLMStreamError as error:
                return found, error
            return found, None

        return asyncio.run(run())

    def beginning(self, llm: LLM, count: int) -> list[str]:
        async def run() -> list[str]:
            async with llm.astream("hello") as stream:
                return [await anext(stream) for _ in range(count)]

        return asyncio.run(run())


@pytest.fixture(scope="session")
def little() -> Iterator[LittleServer]:
    """A provider on this machine."""
    with LittleServer() as running:
        yield running


@pytest.fixture(params=[Blocking, OnLoop], ids=["sync", "async"])
def way(request: pytest.FixtureRequest) -> Way:
    """Both ways in turn."""
    made: Way = request.param()
    return made
