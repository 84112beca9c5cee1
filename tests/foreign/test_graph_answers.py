"""The answer of a graph is its last assistant message, and how soon it is given."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmstream.errors import BadMessage
from llmstream.foreign.graph import LastMessage, has_messages, last_message, last_node
from llmstream.foreign.steps import LastStep, documents_of

pytest.importorskip("langgraph")
graphs = pytest.importorskip("foreign.graphs")


def documents(
    model: Any, *, live: bool = False, version: str = "v2", stream: bool = True
) -> list[dict[str, Any]]:
    """Return the answer's documents of a graph."""

    async def run() -> list[dict[str, Any]]:
        events = model.astream_events({"messages": [("user", "hi")]}, version=version)
        answer = LastMessage(model, 1, live=live)
        found = documents_of(events, answer, steps=False, stream=stream, hide=str)
        return [one async for one in found]

    return asyncio.run(run())


def texts(found: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in found if one.get("text")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("graph", "chunks"),
    [
        ("agent", ["The ", "answer"]),
        ("draft_and_text", ["te", "xt"]),
        ("changed", ["RAW!"]),
        ("nested", ["in ", "sum"]),
    ],
)
def test_the_answer_is_the_last_assistant_message(graph: str, chunks: list[str], version: str) -> None:
    made = getattr(graphs, graph)()
    assert texts(documents(made, version=version)) == chunks
    assert texts(documents(made, version=version, stream=False)) == ["".join(chunks)]


@pytest.mark.parametrize(
    ("graph", "text"),
    [
        ("agent", "Let me look.\n\nThe answer"),
        ("draft_and_text", "draft\n\ntext"),
        ("changed", "raw\n\nRAW!"),
        ("nested", "Let me look.\n\nThe answer\n\nin sum"),
    ],
)
def test_people_are_shown_every_message_as_it_comes(graph: str, text: str) -> None:
    assert "".join(texts(documents(getattr(graphs, graph)(), live=True))) == text


def test_messages_of_nodes_that_run_at_once_are_not_mixed() -> None:
    from langgraph.graph import END, START, MessagesState, StateGraph

    graph = StateGraph(MessagesState)
    for name in ("a", "b"):
        graph.add_node(name, graphs.node(graphs.Saying(words=[f"{name}1", f"{name}2"])))
        graph.add_edge(START, name)
        graph.add_edge(name, END)
    made = graph.compile()
    assert last_node(made) == ""
    shown = "".join(texts(documents(made, live=True)))
    assert shown in ("a1a2\n\nb1b2", "b1b2\n\na1a2")
    assert texts(documents(made)) == ["b1", "b2"]


def test_what_a_tools_own_model_says_is_no_message_of_the_graph() -> None:
    from langchain_core.tools import tool
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode, tools_condition

    @tool
    def search(q: str) -> str:
        """Ask a model."""
        return str(graphs.Saying(words=["for the tool"]).invoke(q).content)

    graph = StateGraph(MessagesState)
    graph.add_node("think", graphs.node(graphs.Calling(before=[], words=["done"])))
    graph.add_node("tools", ToolNode([search]))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    assert texts(documents(graph.compile(), live=True)) == ["done"]


@pytest.mark.parametrize(
    ("graph", "node"),
    [("agent", ""), ("draft_and_text", "text"), ("waiting_graph", "only"), ("nested", "last")],
)
def test_a_node_after_which_the_graph_can_only_end_is_known(graph: str, node: str) -> None:
    assert last_node(getattr(graphs, graph)()) == node


def test_graphs_with_messages_are_known_also_when_something_was_bound_to_them() -> None:
    assert has_messages(graphs.agent())
    assert has_messages(graphs.agent().with_config(tags=["x"]))
    assert not has_messages(graphs.chain())
    assert not has_messages(object())


def test_a_graph_without_an_answer_is_an_error() -> None:
    with pytest.raises(BadMessage, match="without an assistant message"):
        documents(graphs.silent())


def test_an_answer_of_an_earlier_turn_is_not_taken_for_this_ones() -> None:
    earlier = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    with pytest.raises(BadMessage):
        last_message([*earlier, {"role": "tool", "content": "d"}], 3)
    answer = {"role": "assistant", "content": "e"}
    assert last_message([*earlier, answer], 3) is answer
    # a graph that forgets
    assert last_message([answer], 3) is answer


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("thing", "chunks"),
    [
        ("chain", ["Spark", "ling", " water"]),
        ("two_models", ["the ", "text"]),
        ("parallel", ["left and right"]),
        ("search", ["found hi"]),
        ("whole", ["whole"]),
        ("completing", ["whole"]),
    ],
)
def test_the_answer_of_a_chain_is_its_last_step(thing: str, chunks: list[str], version: str) -> None:
    from langchain_core.language_models.fake import FakeListLLM

    made = {
        "search": graphs.search,
        "whole": graphs.Saying(words=["whole"]).with_config(tags=["x"]),
        "completing": FakeListLLM(responses=["whole"]),
    }
    model = made.get(thing) or getattr(graphs, thing)()

    async def run() -> list[str]:
        events = model.astream_events("hi", version=version)
        found = documents_of(events, LastStep(), steps=False, stream=True, hide=str)
        return texts([one async for one in found])

    assert asyncio.run(run()) == chunks
