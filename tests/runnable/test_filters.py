"""LangChain's filters: which events they leave, by LangChain itself, and that no request has them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream import UsageError
from llmstream.runnable.filters import FILTERS, filtered, type_of
from runnable.little_server import LittleServer, new_tag

pytest.importorskip("langchain_core")
from langchain_core.runnables.utils import _RootEventFilter

NAMES = st.sampled_from(["LLM", "Named", "llm", "on"])
TAGS = st.lists(st.sampled_from(["red", "blue"]), max_size=2)
EVENTS = st.fixed_dictionaries(
    {
        "event": st.sampled_from(
            ["on_llm_start", "on_llm_stream", "on_chat_model_end", "on_tool_error", "on_chain_start"]
        ),
        "name": NAMES,
        "tags": TAGS,
    }
)
WANTED = st.none() | st.lists(
    st.sampled_from(["LLM", "Named", "llm", "chat_model", "chain", "red", "blue"]), max_size=2
)


@given(st.dictionaries(st.sampled_from(FILTERS), WANTED), EVENTS)
def test_what_is_left_is_what_langchains_rule_leaves(filters: dict[str, Any], event: dict[str, Any]) -> None:
    kept, rest = filtered({**filters, "temperature": 0})
    theirs = _RootEventFilter(**filters)
    assert kept(event) == theirs.include_event(event, type_of(event))  # type: ignore[arg-type]
    assert rest == {"temperature": 0}


def test_a_custom_events_type_is_its_name() -> None:
    assert type_of({"event": "on_custom_event", "name": "llmstream.retry"}) == "llmstream.retry"
    assert type_of({"event": "on_chat_model_start", "name": "x"}) == "chat_model"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_filters_are_no_part_of_the_request(little: LittleServer, asynchronous: bool) -> None:
    tag = new_tag()
    llm = little.llm(tag=tag)
    filters: dict[str, Any] = {"include_types": ["llm"], "exclude_names": ["x"], "exclude_tags": None}

    async def run() -> list[Any]:
        return [event async for event in llm.astream_events("hi", version="v2", **filters)]

    found = asyncio.run(run()) if asynchronous else list(llm.stream_events("hi", **filters))
    assert found
    assert not [key for key in little.seen(tag)["body"] if key.startswith(("exclude", "include"))]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"run_name": "x"}, '"run_name" belongs'),
        ({"tags": ["x"]}, '"tags" belongs'),
        ({"metadata": {}}, '"metadata" belongs'),
        ({"runname": "x"}, '"run_name" belongs'),
        ({"max_concurency": 1}, '"max_concurrency" belongs'),
        ({"include_type": ["llm"]}, 'did you mean "include_types"'),
        ({"exclude_name": ["x"]}, 'did you mean "exclude_names"'),
        ({"include_types": "llm"}, "must be a list of names"),
    ],
)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_what_would_go_into_the_request_by_mistake_is_refused_before_it_is_sent(
    little: LittleServer, wrong: dict[str, Any], said: str, asynchronous: bool
) -> None:
    tag = new_tag()
    llm = little.llm(tag=tag)

    async def run() -> None:
        async for _ in llm.astream_events("hi", **wrong):
            pass

    with pytest.raises(UsageError, match=said):
        if asynchronous:
            asyncio.run(run())
        else:
            list(llm.stream_events("hi", **wrong))
    assert little.count(tag) == 0


def test_options_that_only_look_like_filters_go_into_the_request(little: LittleServer) -> None:
    tag = new_tag()
    list(little.llm(tag=tag).stream_events("hi", include_reasoning=True))
    assert little.seen(tag)["body"]["include_reasoning"] is True
