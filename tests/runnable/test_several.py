"""Several models at once: races and comparisons, from threads and from event loops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from llmstream import LLM, Completion, LLMStreamError, Winner, acompare, arace, compare, race
from llmstream.events import Notice
from runnable.fixtures import Way
from runnable.little_server import PATIENCE, LittleServer, Script, new_tag

Race = Callable[[list[LLM]], Completion]
# the connection isn't kept, so that the server sees when the refusal was read
REFUSED: Script = [["refuse", 500, {"error": {"message": "broken"}}, {"connection": "close"}]]
NOTHING: Script = [["head"], ["finish", "stop"], ["done"]]


def says(*texts: str, gate: str = "", reset: bool = False) -> Script:
    """Return the script of an answer, which waits at a gate before its first text."""
    waits = [["gate", gate]] if gate else []
    end = [["reset"]] if reset else [["finish", "stop"], ["done"]]
    return [["head"], *waits, *(["text", text] for text in texts), *end]


@pytest.fixture(params=[race, lambda *a: asyncio.run(arace(*a))], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Race:
    return lambda models: request.param(models, "hello")


def test_the_first_to_give_a_token_wins_and_the_others_are_let_go(little: LittleServer, way: Way) -> None:
    loser, hold = new_tag(), new_tag()
    llm = little.llm(says("late", gate=new_tag()), tag=loser).with_race(
        [
            little.llm(
                [["head"], ["text", "win"], ["gate", hold], ["text", "ner"], ["finish", "stop"], ["done"]]
            )
        ]
    )
    with contextlib.ExitStack() as opened:
        if way.__class__.__name__ == "Blocking":
            stream = opened.enter_context(llm.stream("hello"))
            assert next(stream) == "win"
            little.left(loser)
            little.open(hold)
            assert list(stream) == ["ner", ""]
            assert stream.completion.text == "winner"
        else:
            asyncio.run(_held(llm, little, loser, hold))


async def _held(llm: LLM, little: LittleServer, loser: str, hold: str) -> None:
    async with llm.astream("hello") as stream:
        assert await anext(stream) == "win"
        await asyncio.to_thread(little.left, loser)
        little.open(hold)
        assert [chunk async for chunk in stream] == ["ner", ""]


def test_all_are_asked_at_once(little: LittleServer, run: Race) -> None:
    gate, tags = new_tag(), [new_tag() for _ in range(4)]
    models = [little.llm(says(str(n), gate=gate), tag=tag) for n, tag in enumerate(tags)]

    async def both() -> Completion:
        answer = asyncio.create_task(asyncio.to_thread(run, models))
        await asyncio.gather(*(asyncio.to_thread(little.seen, tag) for tag in tags))
        little.open(gate)
        return await answer

    assert asyncio.run(both()).text in "0123"


def test_a_failure_does_not_win_and_is_told(little: LittleServer) -> None:
    gate, first = new_tag(), new_tag()
    llm = little.llm(REFUSED, tag=first).with_race([little.llm(says("fine", gate=gate))])

    def opened() -> list[object]:
        found: list[object] = []
        for event in llm.events("hello"):
            found.append(event)
        return found

    async def both() -> list[object]:
        answer = asyncio.create_task(asyncio.to_thread(opened))
        await asyncio.to_thread(little.left, first)
        little.open(gate)
        return await answer

    events = asyncio.run(both())
    assert sum(isinstance(event, Winner) for event in events) == 1
    assert any(isinstance(event, Notice) and "broken" in event.message for event in events)
    assert "".join(getattr(event, "text", "") for event in events) == "fine"


def test_when_all_fail_the_first_ones_error_is_raised(little: LittleServer, run: Race) -> None:
    refusals: list[Script] = [[["refuse", status, {}]] for status in (401, 500)]
    with pytest.raises(LLMStreamError) as caught:
        run([little.llm(script) for script in refusals])
    assert caught.value.status == 401


def test_an_empty_answer_wins_only_over_failures(little: LittleServer, run: Race) -> None:
    assert run([little.llm(REFUSED), little.llm(NOTHING)]).text == ""
    assert run([little.llm(NOTHING), little.llm(says("something"))]).text == "something"


def test_a_winner_that_breaks_is_the_races_failure(little: LittleServer, run: Race) -> None:
    with pytest.raises(LLMStreamError, match="answer is incomplete"):
        run([little.llm(says("half", reset=True)), little.llm(says("late", gate=new_tag()))])


def test_the_winner_is_named_and_timed_from_the_start_of_the_race(little: LittleServer, run: Race) -> None:
    gate, tag = new_tag(), new_tag()

    async def both() -> Completion:
        models = [little.llm(REFUSED), little.llm(says("x", gate=gate), tag=tag)]
        answer = asyncio.create_task(asyncio.to_thread(run, models))
        await asyncio.to_thread(little.seen, tag)
        await asyncio.sleep(0.1)  # what is measured
        little.open(gate)
        return await answer

    found = asyncio.run(both())
    assert (found.provider, found.model) == ("little", "m")
    # the clock starts when the request is out, which the server may see a moment earlier
    assert found.timing.ttft is not None and found.timing.ttft >= 0.09


def test_options_and_retries_reach_every_lane(little: LittleServer) -> None:
    gate, tags = new_tag(), [new_tag(), new_tag()]
    first, second = (little.llm(says(tag, gate=gate), tag=tag) for tag in tags)

    async def both() -> None:
        answer = asyncio.create_task(first.with_race([second]).bind(temperature=0.5).ainvoke("hello"))
        for tag in tags:
            assert (await asyncio.to_thread(little.seen, tag))["body"]["temperature"] == 0.5
        little.open(gate)
        await answer

    asyncio.run(both())


def test_leaving_a_race_early_lets_all_go(little: LittleServer, way: Way) -> None:
    tags = [new_tag(), new_tag()]
    models = [little.llm([["head"], ["text", "x"], ["hang"]], tag=tag) for tag in tags]
    assert way.beginning(models[0].with_race(models[1:]), 1) == ["x"]
    for tag in tags:
        little.left(tag)


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_comparison_keeps_the_order_and_a_failure_spoils_nothing(little: LittleServer, form: str) -> None:
    gate, last = new_tag(), new_tag()
    models = [
        little.llm(says("alpha", gate=gate)),
        little.llm(REFUSED),
        little.llm(says("half", reset=True)),
        little.llm(says("be", "ta"), tag=last),
    ]

    async def both() -> list[tuple[str, str | None]]:
        if form == "async":
            running = asyncio.create_task(acompare(models, "hello"))
        else:
            running = asyncio.create_task(asyncio.to_thread(compare, models, "hello"))
        await asyncio.to_thread(little.played, last)
        little.open(gate)
        found = await asyncio.wait_for(running, PATIENCE)
        assert [one.model for one in found] == ["little/m"] * 4
        return [(one.completion.text, type(one.error).__name__ if one.error else None) for one in found]

    assert asyncio.run(both()) == [
        ("alpha", None), ("", "Unavailable"), ("half", "StreamBroken"), ("beta", None),
    ]  # fmt: skip
