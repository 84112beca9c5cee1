"""Load on a real server, counted there."""

from __future__ import annotations

import asyncio

import pytest

from llmstream import LLM, UsageError, abench, bench
from llmstream.measure.load import Load
from runnable.fixtures import little
from runnable.little_server import LittleServer, Script, new_tag

__all__ = ["little"]
GATED_OFF: Script = [["refuse", 503, {}]]


def answers(little: LittleServer, tag: str, *scripts: Script) -> LLM:
    return little.llm(*scripts, tag=tag, adapter="openai-chat")


@pytest.mark.parametrize(
    ("options", "sent"), [({}, 6), ({"warmup": 0}, 5), ({"warmup": 3, "concurrency": 8}, 8)]
)
def test_warm_ups_come_on_top_and_are_not_counted(
    little: LittleServer, options: dict[str, int], sent: int
) -> None:
    tag = new_tag()
    # the pause parts the tokens, which would come in one read and at one time
    script: Script = [
        ["head"],
        ["text", "a"],
        ["pause", 0.005],
        ["text", "b"],
        ["finish", "stop"],
        ["done"],
    ]
    (found,) = bench(answers(little, tag, script), "hi", requests=5, **options)  # type: ignore[arg-type]
    assert (found.requests, little.count(tag)) == (5, sent)
    assert found.ttft and found.itl and found.e2e and found.tpot and found.output_tokens_per_second


def test_so_many_are_under_way_at_once(little: LittleServer) -> None:
    tag, gate = new_tag(), new_tag()
    llm = answers(little, tag, [["head"], ["gate", gate], ["text", "x"], ["finish", "stop"], ["done"]])

    async def run() -> int:
        running = asyncio.create_task(abench(llm, "hi", requests=9, concurrency=4, warmup=0))
        await asyncio.to_thread(little.seen, tag, 4)
        waiting = await asyncio.to_thread(little.count, tag)
        little.open(gate)
        assert (await running)[0].requests == 9
        return waiting

    assert asyncio.run(run()) == 4


def test_the_open_loop_sends_when_due_whatever_the_others_take(little: LittleServer) -> None:
    tag, gate = new_tag(), new_tag()
    llm = answers(little, tag, [["head"], ["gate", gate], ["text", "x"], ["finish", "stop"], ["done"]])

    async def run() -> None:
        running = asyncio.create_task(abench(llm, "hi", requests=12, rate=200, warmup=0))
        await asyncio.to_thread(little.seen, tag, 12)
        little.open(gate)
        assert (await running)[0].requests == 12

    asyncio.run(run())


def test_failures_are_counted_and_never_tried_again(little: LittleServer) -> None:
    tag = new_tag()
    llm = answers(
        little, tag, GATED_OFF, [["head"], ["text", "x"], ["reset"]], [["head"], ["text", "x"], ["done"]]
    )
    (found,) = bench(llm.with_retry(), "hi", requests=4, warmup=0)  # type: ignore[arg-type]
    assert dict(found.failures) == {"Unavailable": 1, "StreamBroken": 1}
    assert (found.requests, little.count(tag)) == (2, 4)


def test_models_are_asked_in_turn_where_that_is_wanted(little: LittleServer) -> None:
    tag = new_tag()
    models = [little.llm(tag=tag, adapter=name) for name in ("openai-chat", "openai-completions")]
    found = bench(models, "hi", requests=2, warmup=0, interleave=True)
    assert [one.requests for one in found] == [2, 2]
    paths = [request["target"].rpartition("/")[2] for request in little._ask(f"/count/{tag}")]
    assert paths == ["completions"] * 4
    bodies = ["messages" in request["body"] for request in little._ask(f"/count/{tag}")]
    assert bodies == [True, False, True, False]


def test_prompts_are_made_up_anew_for_each_request_and_the_same_for_a_seed(little: LittleServer) -> None:
    said = []
    for _ in range(2):
        tag = new_tag()
        bench(answers(little, tag), requests=2, warmup=0, prompt_tokens=30, seed=5)
        said.append([one["body"]["messages"][0]["content"] for one in little._ask(f"/count/{tag}")])
    assert said[0] == said[1]
    assert len(set(said[0])) == 2 and all(len(text.split()) == 30 for text in said[0])


def test_a_duration_ends_it(little: LittleServer) -> None:
    tag = new_tag()
    (found,) = bench(answers(little, tag), "hi", duration=0.3, warmup=0)
    assert found.requests == little.count(tag) > 1


@pytest.mark.parametrize(
    "wrong", [{"requests": 0}, {"concurrency": 0}, {"rate": -1}, {"duration": 0}, {"warmup": -1}]
)
def test_a_load_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Load(**wrong).checked()  # type: ignore[arg-type]
