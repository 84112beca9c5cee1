"""`LLM | function | LLM`: what each step is given, when, and which events are told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest

from llmstream import LLM, LLMStreamError, RunConfig, Runnable, UsageError
from runnable.little_server import LittleServer, Script, new_tag


class Loud(Runnable[object, str]):
    """Has only `invoke`."""

    def invoke(self, input: object, config: RunConfig | None = None, **options: object) -> str:
        return str(input).upper()


def says(*texts: str, gate: str = "") -> Script:
    """Return the script of an answer; behind its first chunk it waits at the gate."""
    steps: list[list[Any]] = [["text", text] for text in texts]
    if gate:
        steps.insert(1, ["gate", gate])
    return [["head"], *steps, ["finish", "stop"], ["done"]]


def mark(text: Any) -> str:
    return f"<{text}>"


async def amark(text: Any) -> str:
    await asyncio.sleep(0)
    return f"<{text}>"


def upper(chunks: Iterator[Any]) -> Iterator[str]:
    for chunk in chunks:
        yield str(chunk).upper()


async def aupper(chunks: AsyncIterator[Any]) -> AsyncIterator[str]:
    async for chunk in chunks:
        yield str(chunk).upper()


def upper_of_langchain() -> Any:
    from langchain_core.runnables import RunnableLambda

    return RunnableLambda(str.upper)


def invoked(runnable: Runnable[Any, Any]) -> list[str]:
    return [str(runnable.invoke("hi"))]


def ainvoked(runnable: Runnable[Any, Any]) -> list[str]:
    return [str(asyncio.run(runnable.ainvoke("hi")))]


def streamed(runnable: Runnable[Any, Any]) -> list[str]:
    return [str(chunk) for chunk in runnable.stream("hi")]


def astreamed(runnable: Runnable[Any, Any]) -> list[str]:
    async def run() -> list[str]:
        return [str(chunk) async for chunk in runnable.astream("hi")]

    return asyncio.run(run())


def told(runnable: Runnable[Any, Any], **options: Any) -> list[dict[str, Any]]:
    return list(runnable.stream_events("hi", **options))


def atold(runnable: Runnable[Any, Any], **options: Any) -> list[dict[str, Any]]:
    async def run() -> list[dict[str, Any]]:
        return [event async for event in runnable.astream_events("hi", **options)]

    return asyncio.run(run())


Way = Callable[..., list[Any]]
every_way = pytest.mark.parametrize("way", [invoked, ainvoked, streamed, astreamed])
both_streams = pytest.mark.parametrize("way", [streamed, astreamed])
both_tellings = pytest.mark.parametrize("tell", [told, atold])


@pytest.fixture
def pair(little: LittleServer) -> tuple[LLM, LLM, str, str]:
    """Two models and the names by which their requests are known."""
    first, second = new_tag(), new_tag()
    return (
        little.llm(says("al", "pha"), tag=first),
        little.llm(says("be", "ta"), tag=second),
        first,
        second,
    )


@every_way
@pytest.mark.parametrize("between", [mark, Loud(), upper], ids=["function", "runnable", "generator"])
def test_each_step_is_given_what_the_one_before_it_said(
    way: Way, between: Any, pair: tuple[LLM, LLM, str, str], little: LittleServer
) -> None:
    a, b, first, second = pair
    assert "".join(way(a | between | b)) == "beta"
    assert little.seen(first)["body"]["prompt"] == "hi"
    assert little.seen(second)["body"]["prompt"] == ("<alpha>" if between is mark else "ALPHA")


@every_way
def test_one_model_is_asked_with_the_other_ones_text(
    way: Way, pair: tuple[LLM, LLM, str, str], little: LittleServer
) -> None:
    a, b, _, second = pair
    assert "".join(way(a | b)) == "beta"
    assert little.seen(second)["body"]["prompt"] == "alpha"


@every_way
@pytest.mark.parametrize("form", ["nested", "right", "method", "first"])
def test_all_forms_mean_the_same(
    way: Way, form: str, pair: tuple[LLM, LLM, str, str], little: LittleServer
) -> None:
    a, b, first, second = pair
    made: dict[str, Runnable[Any, Any]] = {
        "nested": (a | mark) | (mark | b),
        "right": a | (mark | (mark | b)),
        "method": a.pipe(mark, mark, b),
        "first": mark | a | mark | mark | b,
    }
    assert "".join(way(made[form])) == "beta"
    assert little.seen(first)["body"]["prompt"] == ("<hi>" if form == "first" else "hi")
    assert little.seen(second)["body"]["prompt"] == "<<alpha>>"


def test_the_output_is_the_last_steps_own(pair: tuple[LLM, LLM, str, str]) -> None:
    a, b, _, _ = pair
    completion = (a | mark | b).invoke("hi")
    assert (completion.text, completion.finish_reason) == ("beta", "stop")
    assert (a | (lambda text: {"n": len(text)})).invoke("hi") == {"n": 5}


@pytest.mark.parametrize("way", [ainvoked, astreamed])
@pytest.mark.parametrize("step", [amark, aupper], ids=["function", "generator"])
def test_async_functions_are_steps_on_a_loop_only(
    way: Way, step: Any, pair: tuple[LLM, LLM, str, str]
) -> None:
    a = pair[0]
    assert "".join(way(a | step)) == ("<alpha>" if step is amark else "ALPHA")
    for blocking in (invoked, streamed):
        with pytest.raises(UsageError, match="is async"):
            blocking(a | step)


@pytest.mark.parametrize(
    ("way", "step"),
    [(streamed, upper), (astreamed, aupper), (astreamed, upper)],
    ids=["sync", "async", "mixed"],
)
def test_a_generator_gets_chunks_as_they_come(way: Way, step: Any, little: LittleServer) -> None:
    gate = new_tag()
    seen: list[str] = []

    def opening(text: Any) -> str:
        # called for the whole of what comes, it would wait for ever
        seen.append(str(text))
        little.open(gate)
        return str(text)

    def through(chunks: Iterator[Any]) -> Iterator[str]:
        for chunk in upper(chunks):
            yield opening(chunk)

    async def athrough(chunks: AsyncIterator[Any]) -> AsyncIterator[str]:
        async for chunk in aupper(chunks):
            yield opening(chunk)

    llm = little.llm(says("one ", "two", gate=gate))
    last: Any = through if way is streamed else athrough
    assert way(llm | step | last)[:2] == ["ONE ", "TWO"]
    assert seen[:2] == ["ONE ", "TWO"]


@both_streams
def test_the_last_models_chunks_come_as_it_makes_them(way: Way, pair: tuple[LLM, LLM, str, str]) -> None:
    a, b, _, _ = pair
    assert [chunk for chunk in way(a | mark | b) if chunk] == ["be", "ta"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_leaving_early_ends_the_request(asynchronous: bool, little: LittleServer) -> None:
    tag = new_tag()
    chain = little.llm([["head"], ["murmur", "x", 0.01]], tag=tag) | (upper if not asynchronous else aupper)

    async def run() -> None:
        stream = chain.astream("hi")
        assert await anext(stream) == "X"
        await stream.aclose()  # type: ignore[attr-defined]  # it is a generator

    if asynchronous:
        asyncio.run(run())
    else:
        stream = chain.stream("hi")
        assert next(stream) == "X"
        stream.close()  # type: ignore[attr-defined]
    little.left(tag)


@every_way
def test_what_a_step_raises_is_raised_and_nothing_after_it_is_asked(
    way: Way, little: LittleServer, pair: tuple[LLM, LLM, str, str]
) -> None:
    a, b, _, second = pair

    def broken(text: Any) -> str:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        way(a | broken | b)
    assert little.count(second) == 0
    refusing = little.llm([["refuse", 400, {"error": {"message": "no"}}]])
    with pytest.raises(LLMStreamError, match="no"):
        way(a | refusing | b)
    assert little.count(second) == 0


def test_every_input_of_a_batch_goes_through_all_steps(pair: tuple[LLM, LLM, str, str]) -> None:
    a, b, _, _ = pair
    assert [str(one) for one in (a | mark | b).batch(["x", "y"])] == ["beta", "beta"]


def test_what_is_no_step_is_refused(pair: tuple[LLM, LLM, str, str]) -> None:
    a = pair[0]
    for wrong in (1, "x", {"a": mark}):
        with pytest.raises(TypeError):
            a | wrong
        with pytest.raises(TypeError):
            wrong | a
    with pytest.raises(UsageError, match="no option"):
        (a | mark).invoke("hi", temperature=0)


@every_way
def test_a_runnable_that_a_function_returns_is_run_in_its_place(
    way: Way, pair: tuple[LLM, LLM, str, str]
) -> None:
    a, b, _, _ = pair
    chain = a | (lambda text: b if text == "alpha" else "not asked") | mark
    assert way(chain) == ["<beta>"]
    assert way(a | (lambda _: upper_of_langchain()) | mark) == ["<ALPHA>"]


@both_streams
def test_its_chunks_come_as_it_makes_them(way: Way, pair: tuple[LLM, LLM, str, str]) -> None:
    a, b, _, _ = pair
    assert [chunk for chunk in way(a | (lambda _: b)) if chunk] == ["be", "ta"]


@both_tellings
def test_its_run_is_within_the_functions(tell: Way, pair: tuple[LLM, LLM, str, str]) -> None:
    a, b, _, _ = pair

    def choose(text: Any) -> LLM:
        return b

    events = tell(a | choose, config={"tags": ["t"]})
    starts = [event for event in events if event["event"].endswith("_start")]
    assert [event["name"] for event in starts] == ["RunnableSequence", "LLM", "choose", "LLM"]
    root, _, function, inner = starts
    assert inner["parent_ids"] == [root["run_id"], function["run_id"]]
    assert (function["tags"], inner["tags"]) == (["seq:step:2", "t"], ["t"])
    chunks = [e["data"]["chunk"] for e in events if e["event"] == "on_chain_stream" and e["name"] == "choose"]
    assert [chunk for chunk in chunks if chunk] == ["be", "ta"]
    assert events[-1]["data"]["output"] == "beta"
    assert [event["seq"] for event in events] == list(range(len(events)))


@pytest.mark.parametrize("step", [upper, aupper, mark], ids=["generator", "async generator", "function"])
@pytest.mark.parametrize("events", [False, True])
def test_a_cancelled_task_ends_its_chain_whole(step: Any, events: bool, little: LittleServer) -> None:
    tag = new_tag()
    chain = little.llm([["head"], ["text", "x"], ["gate", new_tag()]], tag=tag) | step

    async def run() -> None:
        came = asyncio.Event()

        async def read() -> None:
            async for _ in chain.astream_events("hi") if events else chain.astream("hi"):
                came.set()

        task = asyncio.create_task(read())
        await asyncio.to_thread(little.seen, tag)
        if step is not mark:
            await came.wait()
        while step is upper and len(asyncio.all_tasks()) < 3:
            # until the generator's thread waits for the next chunk, in a task of the loop
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    little.left(tag)


@pytest.mark.parametrize("closed", ["astream", "astream_events"])
def test_closing_a_chain_ends_an_async_generators_own_work(closed: str, little: LittleServer) -> None:
    ended: list[str] = []

    async def through(chunks: AsyncIterator[Any]) -> AsyncIterator[str]:
        try:
            async for chunk in chunks:
                yield str(chunk)
        finally:
            ended.append("through")

    async def run() -> None:
        stream = getattr(little.llm([["head"], ["murmur", "x", 0.01]]) | through, closed)("hi")
        async for item in stream:
            if closed == "astream" or item["event"] == "on_chain_stream":
                break
        await stream.aclose()
        assert ended == ["through"]

    asyncio.run(run())


def kinds(events: Sequence[dict[str, Any]], run: str) -> list[str]:
    return [event["event"] for event in events if event["run_id"] == run]


@both_tellings
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_each_step_is_a_run_within_the_outermost_one(
    tell: Way, version: str, pair: tuple[LLM, LLM, str, str]
) -> None:
    a, b, _, _ = pair
    events = tell(
        a | mark | b, version=version, config={"run_name": "Chain", "tags": ["t"], "metadata": {"k": 1}}
    )
    root = events[0]["run_id"]
    assert (events[0]["event"], events[0]["name"], events[0]["parent_ids"]) == ("on_chain_start", "Chain", [])
    assert (events[-1]["event"], events[-1]["run_id"]) == ("on_chain_end", root)
    assert events[-1]["data"] == {"output": "beta", "input": "hi"}
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert sorted(event["t"] for event in events) == [event["t"] for event in events]
    runs = list(dict.fromkeys(event["run_id"] for event in events))
    assert len(runs) == 4
    shown = [[event for event in events if event["run_id"] == run] for run in runs]
    assert [one[0]["name"] for one in shown] == ["Chain", "LLM", "mark", "LLM"]
    assert [one[0]["tags"] for one in shown] == [
        ["t"],
        *(["seq:step:1", "t"], ["seq:step:2", "t"], ["seq:step:3", "t"]),
    ]
    assert all(event["metadata"]["k"] == 1 for event in events)
    for one in shown[1:]:
        assert all(event["parent_ids"] == [root] for event in one)
        assert [event["event"].rpartition("_")[2] for event in (one[0], one[-1])] == ["start", "end"]
    texts = ["".join(e["data"]["chunk"] for e in one if e["event"].endswith("_stream")) for one in shown]
    assert texts == ["beta", "alpha", "<alpha>", "beta"]
    assert shown[3][0]["data"]["input"] == "<alpha>"


@both_tellings
def test_a_failed_step_has_its_event_and_so_has_the_run_around_it(
    tell: Way, pair: tuple[LLM, LLM, str, str]
) -> None:
    a, b, _, _ = pair
    events: list[dict[str, Any]] = []

    def broken(text: Any) -> str:
        raise ValueError("mine")

    chain = a | broken | b

    async def run() -> None:
        async for event in chain.astream_events("hi"):
            events.append(event)  # what came before an error is wanted

    with pytest.raises(ValueError, match="mine"):
        if tell is told:
            for event in chain.stream_events("hi"):
                events.append(event)
        else:
            asyncio.run(run())
    root, failed = events[0]["run_id"], events[-2]["run_id"]
    assert kinds(events, failed) == ["on_chain_start", "on_chain_error"]
    assert kinds(events, root) == ["on_chain_start", "on_chain_error"]
    assert events[-1]["data"]["error"]["message"] == "ValueError: mine"


@both_tellings
def test_events_of_a_generators_input_and_output_are_told(tell: Way, pair: tuple[LLM, LLM, str, str]) -> None:
    step: Any = upper if tell is told else aupper
    events = tell(pair[0] | step)
    own = [event for event in events if event["name"] == step.__name__]
    assert [event["event"] for event in own][:1] == ["on_chain_start"]
    assert own[-1]["data"] == {"output": "ALPHA", "input": "alpha"}
    model = [event for event in events if event["event"] == "on_llm_end"]
    assert [event["data"]["text"] for event in model] == ["alpha"]


@both_tellings
def test_filters_choose_among_the_steps(tell: Way, pair: tuple[LLM, LLM, str, str]) -> None:
    a, b, _, _ = pair
    chain = a | mark | b
    assert {event["event"] for event in tell(chain, include_types=["llm"])} == {
        "on_llm_start", "on_llm_stream", "on_llm_end",
    }  # fmt: skip
    assert {event["name"] for event in tell(chain, include_names=["mark"])} == {"mark"}
    second = tell(chain, include_tags=["seq:step:3"], exclude_types=["chain"])
    assert [event["data"].get("text") for event in second][-1] == "beta"
