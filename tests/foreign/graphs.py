"""Chains and LangGraph agents that answer from this file, to be named as factories."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.documents import Document
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

released = threading.Event()
"""What `Waiting` waits for."""
tries: list[str] = []
"""What `flaky` was asked."""


class Saying(BaseChatModel):
    """Says its words; an exception among them is raised."""

    words: Sequence[Any] = ("Hel", "lo")

    @property
    def _llm_type(self) -> str:
        return "saying"

    def _next(self, messages: list[BaseMessage]) -> Iterator[AIMessageChunk]:
        for word in self.words:
            if isinstance(word, Exception):
                raise word
            yield AIMessageChunk(content=word)

    def _stream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for chunk in self._next(messages):
            yield ChatGenerationChunk(message=chunk)

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        from langchain_core.language_models.chat_models import generate_from_stream

        return generate_from_stream(self._stream(messages))


class Calling(Saying):
    """Says its words and calls a tool, until a tool has answered."""

    before: Sequence[str] = ("Let me ", "look.")

    def _next(self, messages: list[BaseMessage]) -> Iterator[AIMessageChunk]:
        if isinstance(messages[-1], ToolMessage):
            yield from super()._next(messages)
            return
        for word in self.before:
            yield AIMessageChunk(content=word)
        call = {"name": "search", "args": '{"q": "six"}', "id": "c1", "index": 0, "type": "tool_call_chunk"}
        yield AIMessageChunk(content="", tool_call_chunks=[call])  # type: ignore[list-item]


class Waiting(Saying):
    """Waits behind its first word, by blocking."""

    def _next(self, messages: list[BaseMessage]) -> Iterator[AIMessageChunk]:
        for number, chunk in enumerate(super()._next(messages)):
            if number:
                released.wait(20)
            yield chunk


class Ticking(Saying):
    """Says a word again and again, on an event loop."""

    async def _astream(
        self, messages: list[BaseMessage], *_: Any, **__: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        while True:
            yield ChatGenerationChunk(message=AIMessageChunk(content="tick "))
            await asyncio.sleep(0.01)


class Stuck(Saying):
    """Says its first word, and then blocks for longer than anyone waits."""

    def _next(self, messages: list[BaseMessage]) -> Iterator[AIMessageChunk]:
        yield AIMessageChunk(content="begun ")
        time.sleep(60)


@tool
def search(q: str) -> str:
    """Search for something."""
    return f"found {q}"


class Shelf(BaseRetriever):
    """Has one document."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document(page_content="water boils", metadata={"n": 1})]


PROMPT = ChatPromptTemplate.from_template("Say: {text}")
PARSE = StrOutputParser()


def say(*words: object) -> Runnable[Any, str]:
    """Return a prompt, a model that says the words, and a parser."""
    return PROMPT | Saying(words=list(words)) | PARSE


def chain() -> Runnable[Any, str]:
    """Say three words."""
    return say("Spark", "ling", " water")


def two_models() -> Runnable[Any, str]:
    """Have one model's text mended by another one."""
    return say("a ", "draft") | RunnableLambda(lambda text: {"text": text}) | say("the ", "text")


def parallel() -> Runnable[Any, str]:
    """Ask two at once."""
    both = RunnableParallel(left=say("le", "ft"), right=say("ri", "ght"))
    return both | RunnableLambda(lambda got: f"{got['left']} and {got['right']}")


def retrieving() -> Runnable[Any, str]:
    """Ask a model about what a retriever found."""
    return Shelf() | RunnableLambda(lambda found: {"text": found[0].page_content}) | say("hot")


def fails_second() -> Runnable[Any, str]:
    """Fail in the step behind a model."""

    def broken(text: str) -> str:
        raise ValueError(f"broken by {text}")

    return say("one ", "two") | RunnableLambda(broken)


def fails_midway() -> Runnable[Any, str]:
    """Fail within the last model's answer."""
    return say("begun ", ValueError("the model broke"))


class ConnectError(Exception):
    """Named as httpx names it."""


def flaky() -> Runnable[Any, str]:
    """Fail at the first try."""

    def fails_once(text: str) -> str:
        tries.append(text)
        if len(tries) == 1:
            raise ConnectError("reset")
        return text

    return RunnableLambda(fails_once) | say("second")


def waiting() -> Runnable[Any, str]:
    """Say two words, the second when it is told to."""
    return PROMPT | Waiting(words=["one ", "two"]) | PARSE


def ticking() -> Runnable[Any, str]:
    """Never end, on an event loop."""
    return PROMPT | Ticking() | PARSE


def stuck() -> Runnable[Any, str]:
    """Never end, by blocking."""
    return PROMPT | Stuck() | PARSE


def node(model: Runnable[Any, Any]) -> Any:
    """Return a node that adds a model's message."""
    return lambda state: {"messages": [model.invoke(state["messages"])]}


def agent_of(model: Runnable[Any, Any]) -> Any:
    """Return an agent with one tool."""
    graph = StateGraph(MessagesState)
    graph.add_node("think", node(model))
    graph.add_node("tools", ToolNode([search]))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    return graph.compile()


def line_of(**nodes: Any) -> Any:
    """Return a graph of nodes in a line."""
    graph = StateGraph(MessagesState)
    before = START
    for name, one in nodes.items():
        graph.add_node(name, one)
        graph.add_edge(before, name)
        before = name
    graph.add_edge(before, END)
    return graph.compile()


def agent() -> Any:
    """Call a tool, then answer."""
    return agent_of(Calling(words=["The ", "answer"]))


def draft_and_text() -> Any:
    """Two nodes with a model each; the second one's message is the answer."""
    return line_of(draft=node(Saying(words=["dra", "ft"])), text=node(Saying(words=["te", "xt"])))


def waiting_graph() -> Any:
    """One node, whose model waits behind its first word."""
    return line_of(only=node(Waiting(words=["one ", "two"])))


def changed() -> Any:
    """A node behind the model's that puts another message in its place."""
    return line_of(
        first=node(Saying(words=["raw"])),
        second=lambda state: {"messages": [AIMessage(content=state["messages"][-1].content.upper() + "!")]},
    )


def nested() -> Any:
    """An agent as a node of a graph."""
    return line_of(inner=agent(), last=node(Saying(words=["in ", "sum"])))


def silent() -> Any:
    """A graph that says nothing."""
    return line_of(nothing=lambda state: {"messages": []})


chained_agent = RunnableLambda(lambda text: {"messages": [("user", text)]}) | agent_of(Calling(words=["A"]))
"""A chain with a graph in it, as a finished object."""
