"""The events of an object's steps through our library, beside LangChain's own of the same object."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from foreign import foreign_models
from llmstream import LLM, LLMStreamError, Step, TimeLimitPassed
from llmstream.engine.policy import Policy
from llmstream.events import Event, TextDelta
from llmstream.foreign.as_json import object_of
from llmstream.prompt import Endpoint
from llmstream.record import replace
from llmstream.render.jsonl import schema
from llmstream.runnable.calls import abatches, batches
from llmstream.runnable.plan import Plan
from llmstream.runnable.prompts import prompt_of
from llmstream.runnable.targets import Target

pytest.importorskip("langgraph")
graphs = pytest.importorskip("foreign.graphs")
# LangChain's v1, which is deprecated there
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# langgraph gives a message its id in another thread, before or after the event that holds it is told
LATE = re.compile(r'"id": "ID", ')
OURS = ("seq", "t")
BOTH = pytest.mark.parametrize("engine", ["sync", "async"])


def model(name: str, policy: Policy | None = None, *, steps: bool = True) -> LLM:
    """Return a model that is one of the chains and graphs next door."""
    factory = f"foreign.graphs:{name}"
    limits = policy or Policy(max_retries=0)
    return LLM(Target("runnable", Endpoint("mine", factory, ""), policy=limits, factory=factory, steps=steps))


def told(
    llm: LLM, engine: str, version: str = "v2", **options: Any
) -> tuple[list[Any], LLMStreamError | None]:
    """Return a run's event dictionaries, and the error that ended it."""
    found: list[Any] = []

    async def run() -> None:
        async for event in llm.astream_events("hi", version=version, **options):  # type: ignore[arg-type]
            found.append(event)  # what came before an error is wanted

    try:
        if engine == "async":
            asyncio.run(run())
        else:
            for event in llm.stream_events("hi", version=version, **options):  # type: ignore[arg-type]
                found.append(event)
    except LLMStreamError as error:
        return found, error
    return found, None


async def langchains(name: str, version: str) -> AsyncIterator[dict[str, Any]]:
    made = getattr(graphs, name)
    thing = made if hasattr(made, "astream_events") else made()
    given = {"messages": [{"role": "user", "content": "hi"}]} if hasattr(thing, "channels") else "hi"
    async for event in thing.astream_events(given, version=version):
        yield event


def theirs(name: str, version: str) -> list[str]:
    """Return LangChain's own events, made plain as they come, up to the end or the failure."""
    found = []

    async def run() -> None:
        async for event in langchains(name, version):
            # at once, since some values change later
            found.append(plain(event))

    try:
        asyncio.run(run())
    except Exception as error:
        found.append(type(error).__name__)
    return found


def plain(event: dict[str, Any], ours: str = "") -> str:
    """Return an event as JSON in which ids are only told apart from others of their place."""
    shown = {key: value for key, value in object_of(event).items() if key not in OURS}
    shown["parent_ids"] = [one for one in event["parent_ids"] if one != ours]
    return LATE.sub("", UUID.sub("ID", json.dumps(shown, sort_keys=True)))


@BOTH
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    "name", ["chain", "two_models", "retrieving", "agent", "nested", "search", "chained_agent"]
)
def test_a_step_tells_what_langchain_tells_of_it(name: str, version: str, engine: str) -> None:
    events, error = told(model(name), engine, version)
    assert error is None
    ours = events[0]["run_id"]
    steps = [event for event in events if event["run_id"] != ours]
    # a graph's tools run in threads: what they tell and what the graph tells come in either order
    order: Callable[[list[str]], list[str]] = sorted if "agent" in name else list
    assert order([plain(event, ours) for event in steps]) == order(theirs(name, version))
    assert all(event["parent_ids"][0] == ours for event in steps)
    assert [event["seq"] for event in events] == list(range(len(events)))


@BOTH
def test_branches_at_once_tell_what_langchain_tells_of_them(engine: str) -> None:
    events, _ = told(model("parallel"), engine)
    ours = events[0]["run_id"]
    steps = sorted(plain(event, ours) for event in events if event["run_id"] != ours)
    # chunks of the two come in any order
    assert steps == sorted(theirs("parallel", "v2"))
    assert events[-1]["data"]["text"] == "left and right"


@BOTH
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("fails_second", "", "broken by one two"), ("fails_midway", "begun ", "model broke")],
)
def test_a_failure_is_told_up_to_where_it_came(name: str, text: str, said: str, engine: str) -> None:
    events, error = told(model(name), engine)
    ours = events[0]["run_id"]
    *reference, failure = theirs(name, "v2")
    assert failure == "ValueError"
    steps = [plain(event, ours) for event in events if event["run_id"] != ours]
    assert steps == reference
    assert error is not None
    assert said in error.message
    assert (events[-1]["event"], events[-1]["data"]["text"]) == ("on_llm_error", text)


@BOTH
@pytest.mark.parametrize("name", ["chain", "two_models", "parallel", "agent", "draft_and_text"])
def test_our_own_events_are_the_same_with_and_without_steps(name: str, engine: str) -> None:
    def own(steps: bool) -> list[Any]:
        events, _ = told(model(name, steps=steps), engine)
        return [(event["event"], event["data"].get("chunk")) for event in events if not event["parent_ids"]]

    assert [one for one in own(True) if one[1] != ""] == [one for one in own(False) if one[1] != ""]


def test_every_event_is_valid_against_the_schema() -> None:
    import jsonschema

    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    for name in ("chain", "agent", "fails_second"):
        for event in told(model(name), "sync")[0]:
            validator.validate(event)
    events = told(model("chain"), "sync")[0]
    own = [event for event in events if not event["parent_ids"]]
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**own[0], "event": "on_chain_start"})


@BOTH
@pytest.mark.parametrize("name", ["waiting", "waiting_graph"])
def test_a_chunk_is_told_before_the_next_one_is_made(name: str, engine: str) -> None:
    graphs.released.clear()
    plan = Plan(model(name).targets, prompt_of("hi"))

    def note(batch: list[Event]) -> None:
        if any(isinstance(event, TextDelta) for event in batch):
            graphs.released.set()

    async def run() -> None:
        async for batch in abatches(plan):
            note(batch)

    began = time.monotonic()
    if engine == "sync":
        for batch in batches(plan):
            note(batch)
    else:
        asyncio.run(run())
    assert time.monotonic() - began < 15, "it waited for the whole answer"


@BOTH
@pytest.mark.parametrize("name", ["ticking", "stuck"])
def test_limits_hold_and_what_had_come_is_told(name: str, engine: str) -> None:
    events, error = told(model(name, Policy(total=1.0, max_retries=0)), engine)
    assert isinstance(error, TimeLimitPassed)
    assert events[-1]["event"] == "on_llm_error"
    assert events[-1]["data"]["text"].startswith("tick " if name == "ticking" else "begun ")
    assert any(event["event"] == "on_chat_model_stream" for event in events)


def test_a_cancelled_run_leaves_the_object() -> None:
    from llmstream.foreign import background

    async def busy() -> int:
        return len(asyncio.all_tasks())

    def tasks() -> int:
        return asyncio.run_coroutine_threadsafe(busy(), background.loop()).result(10)

    async def run() -> None:
        async for event in model("ticking").astream_events("hi"):
            if event["event"] == "on_chat_model_stream":
                break

    before = tasks()
    asyncio.run(run())
    deadline = time.monotonic() + 10
    # LangChain leaves some of its generators to the collector, and for a moment a task closes each
    while (left := tasks()) > before and time.monotonic() < deadline:
        gc.collect()
    assert left <= before


@BOTH
def test_only_what_failed_before_the_answers_first_chunk_is_tried_again(engine: str) -> None:
    graphs.tries.clear()
    events, error = told(model("flaky", Policy(max_retries=2)), engine)
    assert error is None
    own = [event["name"] for event in events if not event["parent_ids"]]
    assert own.count("llmstream.retry") == 1
    assert events[-1]["data"]["text"] == "second"
    assert (
        len(
            [
                event
                for event in events
                if event["event"] == "on_chain_start" and len(event["parent_ids"]) == 1
            ]
        )
        == 2
    )
    graphs.tries.clear()
    assert told(model("flaky", Policy(max_retries=0)), engine)[1] is not None


@BOTH
def test_filters_choose_among_the_steps(engine: str) -> None:
    events, _ = told(model("retrieving"), engine, include_types=["retriever"])
    assert [event["event"] for event in events] == ["on_retriever_start", "on_retriever_end"]
    events, _ = told(model("agent"), engine, include_names=["search"], exclude_types=["chat_model"])
    assert [event["event"] for event in events] == ["on_tool_start", "on_tool_end"]


@BOTH
def test_an_object_without_events_is_asked_as_ever(engine: str) -> None:
    target = replace(foreign_models.model("Streaming").targets[0], steps=True)
    events, _ = told(LLM(target), engine)
    assert [event["data"].get("chunk") for event in events[1:-1]] == ["a", "b", "c"]


def test_a_graph_is_asked_with_messages_a_chain_with_text() -> None:
    turns = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]
    seen = [event.event for event in model("agent").events(turns) if isinstance(event, Step)]
    assert seen[0]["data"] == {"input": {"messages": turns}}
    seen = [event.event for event in model("chain").events(turns) if isinstance(event, Step)]
    assert seen[0]["data"] == {"input": "be brief\n\nhello"}


def test_keys_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-0123456789abcdef")
    events = list(model("chain").events("my key is sk-0123456789abcdef"))
    steps = json.dumps([event.event for event in events if isinstance(event, Step)])
    assert "sk-0123456789abcdef" not in steps
    assert "[$SOME_API_KEY]" in steps
