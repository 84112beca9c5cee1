"""Objects of all kinds that can be asked, as the factories of these tests."""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

left: list[str] = []
"""Which objects have been closed before their end."""
asked: list[object] = []
"""What `Recalling` was asked."""
made: list[dict[str, Any]] = []
"""What `Recalling` was made with."""


class Streaming:
    """Streams words by blocking."""

    def __init__(self, words: str = "a b c") -> None:
        self.words = words

    def stream(self, prompt: object) -> Iterator[str]:
        yield from self.words.split()


class AsyncStreaming(Streaming):
    """The same for an event loop only."""

    stream = None  # type: ignore[assignment]  # an attribute of that name is no method

    async def astream(self, prompt: object) -> AsyncIterator[str]:
        for word in self.words.split():
            await asyncio.sleep(0)
            yield word


class Invoking:
    """Has the whole answer only."""

    def __init__(self, answer: str = "whole") -> None:
        self.answer = answer

    def invoke(self, prompt: object) -> str:
        return self.answer


class AsyncInvoking:
    """The same for an event loop only."""

    async def ainvoke(self, prompt: object) -> str:
        return "whole"


def make_streaming(words: str) -> Streaming:
    """Make a model."""
    return Streaming(words)


finished = Streaming("made before")


class Recalling:
    """Notes what it was made with and asked."""

    def __init__(self, **arguments: Any) -> None:
        made.append(arguments)

    def stream(self, prompt: object) -> Iterator[str]:
        asked.append(prompt)
        yield "noted"


class Echoing:
    """Answers with what it was made with."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def invoke(self, prompt: object) -> str:
        return json.dumps(self.arguments)


class Printing:
    """Says on standard output what is not its answer."""

    def stream(self, prompt: object) -> Iterator[str]:
        print("noise")
        yield "answer"


class ImportingLater:
    """Imports a module, which a test puts into the current folder, when it is asked."""

    def invoke(self, prompt: object) -> str:
        return importlib.import_module("lying_about").__name__


class Message:
    """What LangChain's AIMessageChunk looks like from outside."""

    def __init__(self, content: object = "", **more: object) -> None:
        self.content = content
        self.additional_kwargs = more.get("extra", {})
        self.tool_call_chunks = more.get("calls", [])
        self.usage_metadata = more.get("usage")
        self.response_metadata = more.get("metadata", {})


class Chatting:
    """Streams everything that a chat model can say."""

    def stream(self, prompt: object) -> Iterator[Message]:
        yield Message(usage={"input_tokens": 7, "output_tokens": 0, "total_tokens": 7})
        yield Message(extra={"reasoning_content": "well"})
        yield Message([{"type": "thinking", "thinking": ", so"}])
        yield Message("Hel")
        yield Message(["l", {"type": "text", "text": "o"}, {"type": "image_url", "image_url": "x"}])
        yield Message(
            calls=[{"name": "look", "args": '{"q":', "id": "c1", "index": 0, "type": "tool_call_chunk"}]
        )
        yield Message(calls=[{"name": None, "args": "1}", "id": None, "index": 0, "type": "tool_call_chunk"}])
        yield Message(metadata={"stop_reason": "end_turn"})
        details = {"cache_read": 4}
        yield Message(
            usage={
                "input_tokens": 0, "output_tokens": 5, "total_tokens": 5, "input_token_details": details,
                "output_token_details": {"reasoning": 2},
            }
        )  # fmt: skip


class Endless:
    """Streams until it is closed, by blocking."""

    def stream(self, prompt: object) -> Iterator[str]:
        try:
            while True:
                yield "x"
        finally:
            left.append("stream")


class AsyncEndless:
    """Streams until it is closed, on an event loop; waits after its second chunk."""

    async def astream(self, prompt: object) -> AsyncIterator[str]:
        try:
            yield "x"
            yield "x"
            await asyncio.sleep(3600)
        finally:
            left.append("astream")


class Hanging:
    """Gives one chunk and then nothing."""

    def __init__(self, first: bool = True) -> None:
        self.first = first

    def stream(self, prompt: object) -> Iterator[str]:
        if self.first:
            yield "x"
        time.sleep(30)


class AsyncHanging(Hanging):
    """The same on an event loop too."""

    async def astream(self, prompt: object) -> AsyncIterator[str]:
        if self.first:
            yield "x"
        await asyncio.sleep(30)


class Wrong:
    """Gives no text."""

    def stream(self, prompt: object) -> Iterator[object]:
        yield 1


class NoModel:
    """Can't be asked."""


class Strict:
    """Takes one argument, and wants it."""

    def __init__(self, size: int) -> None:
        raise ValueError(f"a size of {size} is too large")


class StatusError(Exception):
    """What the exceptions of providers' libraries look like from outside."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status_code = status


class APIConnectionError(Exception):
    """Named as openai's and anthropic's are."""


class Failing:
    """Fails as it is told, after as many chunks as it is told."""

    def __init__(self, how: str, after: int = 0, api_key: str = "") -> None:
        self.how, self.after, self.api_key = how, after, api_key

    def stream(self, prompt: object) -> Iterator[str]:
        yield from "x" * self.after
        if self.how.isdigit():
            raise StatusError(f"refused, says {self.api_key or 'nobody'}", int(self.how))
        if self.how == "connection":
            raise APIConnectionError("Connection error.")
        if self.how == "exit":
            raise SystemExit(3)
        raise RuntimeError(f"no luck with {self.api_key or 'that'}")
