"""LangChain models that answer from this file, to be named as factories."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.llms import LLM
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda

released = threading.Event()
"""Ends what `Blocked` waits for."""
told: list[dict[str, Any]] = []
"""What `Talking` was told: messages and what else came with the call."""

USAGE = UsageMetadata(
    input_tokens=7,
    output_tokens=5,
    total_tokens=12,
    input_token_details=InputTokenDetails(cache_read=4),
    output_token_details=OutputTokenDetails(reasoning=2),
)


class Blocked(LLM):
    """Has nothing for event loops, and does not answer."""

    @property
    def _llm_type(self) -> str:
        return "blocked"

    def _call(self, prompt: str, stop: list[str] | None = None, *_: Any, **__: Any) -> str:
        released.wait(60)
        return "late"


class Talking(BaseChatModel):
    """Thinks, speaks and calls a tool, all in LangChain's own classes."""

    @property
    def _llm_type(self) -> str:
        return "talking"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        """Return a model that is told of tools, as integrations do."""
        return self.bind(tools=tools, **kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, *_: Any, **more: Any
    ) -> ChatResult:
        told.append({"messages": messages, "stop": stop, **more})
        call = {"name": "look", "args": {"q": 1}, "id": "c1"}
        answer = AIMessage(
            content="Hello",
            additional_kwargs={"reasoning_content": "so"},
            tool_calls=[call],
            usage_metadata=USAGE,
            response_metadata={"finish_reason": "tool_calls"},
        )
        return ChatResult(generations=[ChatGeneration(message=answer)])

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, *_: Any, **more: Any
    ) -> Iterator[ChatGenerationChunk]:
        told.append({"messages": messages, "stop": stop, **more})
        chunks = [
            AIMessageChunk(content=[{"type": "thinking", "thinking": "so", "index": 0}]),
            AIMessageChunk(content="Hel"),
            AIMessageChunk(content="lo"),
            AIMessageChunk(
                content="", tool_call_chunks=[tool_call_chunk(name="look", args='{"q": ', id="c1", index=0)]
            ),
            AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(args="1}", index=0)]),
            AIMessageChunk(content="", response_metadata={"finish_reason": "tool_calls"}),
            AIMessageChunk(content="", usage_metadata=USAGE),
        ]
        for chunk in chunks:
            yield ChatGenerationChunk(message=chunk)


chain: Runnable[Any, Any] = RunnableLambda(lambda text: f"chained {text}")
"""A finished object, as LangChain's chains are."""

MESSAGES = [SystemMessage("be brief"), HumanMessage("hello")]
"""What the tests say to `Talking`."""
