"""A Runnable that has only `invoke`: everything else by default, as LangChain has it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Literal

import pytest

from llmstream import LLMStreamError, RunConfig, Runnable, UsageError
from llmstream.runnable.batch import completed

VERSIONS: list[Literal["v1", "v2"]] = ["v1", "v2"]
CONFIG: RunConfig = {
    "run_id": "0190-my-own", "run_name": "my run", "tags": ["a", "b"], "metadata": {"team": "search"},
}  # fmt: skip


class Doubler(Runnable[str, str]):
    """Doubles its input; of `bad` it makes an error."""

    def invoke(self, input: str, config: RunConfig | None = None, **options: object) -> str:
        if input == "bad":
            raise ValueError("bad input")
        return input * 2


class Crowd(Runnable[int, int]):
    """Lets no one go until `size` are here, and counts how many ever were at once."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.most = self.here = 0
        self.changed = threading.Condition()

    def invoke(self, input: int, config: RunConfig | None = None, **options: object) -> int:
        with self.changed:
            self.here += 1
            self.most = max(self.most, self.here)
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self.most >= self.size, 20)
            self.here -= 1
        return input


async def listed(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


def events_of(
    runnable: Runnable[Any, Any],
    version: Literal["v1", "v2"],
    config: RunConfig | None = None,
    text: str = "ab",
) -> list[list[dict[str, Any]]]:
    """Return the events of a run both ways, without what differs from run to run."""
    blocking: list[Any] = [*runnable.stream_events(text, config, version=version)]
    on_loop = asyncio.run(listed(runnable.astream_events(text, config, version=version)))
    return [blocking, on_loop]


def test_streams_give_exactly_one_value() -> None:
    assert [*Doubler().stream("ab")] == ["abab"]
    assert asyncio.run(listed(Doubler().astream("ab"))) == ["abab"]


@pytest.mark.parametrize("version", VERSIONS)
def test_events_give_exactly_one_chunk(version: Literal["v1", "v2"]) -> None:
    for found in events_of(Doubler(), version):
        assert [event["event"] for event in found] == ["on_llm_start", "on_llm_stream", "on_llm_end"]
        assert [event["seq"] for event in found] == [0, 1, 2]
        assert found[0]["data"] == {"input": "ab"}
        assert found[1]["data"] == {"chunk": "abab"}
        assert (found[2]["data"]["text"], found[2]["data"]["finish_reason"]) == ("abab", "stop")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_configs_identity_is_on_every_event(version: Literal["v1", "v2"]) -> None:
    for found in events_of(Doubler(), version, CONFIG):
        for event in found:
            assert (event["run_id"], event["name"], event["tags"]) == ("0190-my-own", "my run", ["a", "b"])
            assert event["metadata"]["team"] == "search"
            assert event["parent_ids"] == []


def test_what_is_done_to_one_event_does_not_show_in_the_next() -> None:
    running = Doubler().stream_events("ab", {"tags": ["a"], "metadata": {"x": 1}})
    first = next(running)
    assert isinstance(first["tags"], list)
    assert isinstance(first["metadata"], dict)
    first["tags"].append("mine")
    first["metadata"].clear()
    second = next(running)
    assert second["tags"] == ["a"]
    assert isinstance(second["metadata"], dict)
    assert second["metadata"]["x"] == 1


def test_without_a_name_the_class_is_the_name_and_each_run_has_an_id() -> None:
    runs = [next(iter(Doubler().stream_events("ab"))) for _ in range(2)]
    assert [event["name"] for event in runs] == ["Doubler", "Doubler"]
    assert len({str(event["run_id"]) for event in runs}) == 2


def test_a_failure_is_an_event_and_then_raised() -> None:
    found: list[Any] = []
    with pytest.raises(ValueError, match="bad input"):
        found.extend(Doubler().stream_events("bad"))  # extend keeps what came before the error
    assert [event["event"] for event in found] == ["on_llm_start", "on_llm_error"]
    assert found[-1]["data"]["error"]["message"] == "ValueError: bad input"


def test_batches_keep_their_inputs_order() -> None:
    inputs = [str(number) for number in range(40)]
    wanted = [2 * one for one in inputs]
    assert Doubler().batch(inputs) == wanted
    assert asyncio.run(Doubler().abatch(inputs)) == wanted


def test_as_completed_gives_each_position_once() -> None:
    inputs = [str(number) for number in range(40)]
    wanted = [(number, 2 * one) for number, one in enumerate(inputs)]
    assert sorted(Doubler().batch_as_completed(inputs)) == wanted
    found = asyncio.run(listed(Doubler().abatch_as_completed(inputs)))
    assert sorted(found) == wanted


def test_an_empty_batch_is_empty() -> None:
    assert Doubler().batch([]) == []
    assert asyncio.run(Doubler().abatch([])) == []
    assert [*Doubler().batch_as_completed([])] == []


def test_one_failure_spoils_no_other() -> None:
    for found in (
        Doubler().batch(["a", "bad", "c"], return_exceptions=True),
        asyncio.run(Doubler().abatch(["a", "bad", "c"], return_exceptions=True)),
    ):
        assert (found[0], found[2]) == ("aa", "cc")
        assert isinstance(found[1], ValueError)


def test_without_return_exceptions_the_first_inputs_failure_is_raised() -> None:
    with pytest.raises(ValueError, match="bad input"):
        Doubler().batch(["a", "bad"])
    with pytest.raises(ValueError, match="bad input"):
        asyncio.run(Doubler().abatch(["a", "bad"]))


@pytest.mark.parametrize("limit", [1, 3])
def test_max_concurrency_is_reached_and_held(limit: int) -> None:
    crowd = Crowd(limit)
    assert crowd.batch([*range(12)], {"max_concurrency": limit}) == [*range(12)]
    assert crowd.most == limit
    crowd = Crowd(limit)
    assert asyncio.run(crowd.abatch([*range(12)], {"max_concurrency": limit})) == [*range(12)]
    assert crowd.most == limit


def test_a_list_of_configs_has_one_for_each_input() -> None:
    assert Doubler().batch(["a", "b"], [{}, {"tags": ["x"]}]) == ["aa", "bb"]
    with pytest.raises(UsageError, match="1 configs for 2 inputs"):
        Doubler().batch(["a", "b"], [{}])
    with pytest.raises(UsageError, match="max_concurrency"):
        Doubler().batch(["a"], {"max_concurrency": 0})


MISSPELT: Any = {"max_concurency": 2}


def test_an_unknown_key_of_a_config_is_named_everywhere() -> None:
    def runs() -> Iterator[Any]:
        doubler = Doubler()
        yield lambda: doubler.batch(["a"], MISSPELT)
        yield lambda: asyncio.run(doubler.abatch(["a"], MISSPELT))
        yield lambda: [*doubler.stream("a", MISSPELT)]
        yield lambda: asyncio.run(listed(doubler.astream("a", MISSPELT)))
        yield lambda: [*doubler.stream_events("a", MISSPELT)]
        yield lambda: asyncio.run(listed(doubler.astream_events("a", MISSPELT)))

    for run in runs():
        with pytest.raises(UsageError, match="max_concurency"):
            run()


def test_what_langchain_puts_into_a_config_is_accepted() -> None:
    config: Any = {"callbacks": None, "recursion_limit": 25, "configurable": {}, "tags": []}
    assert [*Doubler().stream("a", config)] == ["aa"]


def test_an_unknown_version_of_the_events_is_an_error() -> None:
    with pytest.raises(LLMStreamError, match="v3"):
        [*Doubler().stream_events("a", version="v3")]  # type: ignore[arg-type]


def test_leaving_a_batch_early_runs_nothing_that_has_not_begun() -> None:
    begun: list[int] = []

    class Noting(Runnable[int, int]):
        def invoke(self, input: int, config: RunConfig | None = None, **options: object) -> int:
            begun.append(input)
            # all of them would take far longer than the leaving
            threading.Event().wait(0.05)
            return input

    running = Noting().batch_as_completed([*range(1000)], {"max_concurrency": 1})
    next(iter(running))
    running.close()  # type: ignore[attr-defined]  # a generator
    assert len(begun) < 1000


def test_a_cancelled_batch_cancels_what_runs() -> None:
    cancelled: list[int] = []

    class Waiting(Doubler):
        async def ainvoke(self, input: str, config: RunConfig | None = None, **options: object) -> str:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.append(1)
            return input

    async def run() -> None:
        task = asyncio.create_task(Waiting().abatch(["a"] * 5, {"max_concurrency": 2}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert len(cancelled) == 2


@pytest.mark.timeout(30)
def test_an_input_that_cancels_itself_ends_the_batch() -> None:
    class Quitter(Doubler):
        async def ainvoke(self, input: str, config: RunConfig | None = None, **options: object) -> str:
            if input == "b":
                raise asyncio.CancelledError
            return input

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Quitter().abatch(["a", "b", "c"]))


def test_ctrl_c_in_a_batch_waits_for_no_answer_under_way() -> None:
    held, main = threading.Event(), threading.main_thread().ident
    assert main is not None

    def interrupting() -> bool:
        signal.pthread_kill(main, signal.SIGINT)
        return held.wait(60)

    jobs: list[Callable[[], bool]] = [interrupting, partial(held.wait, 60)]
    try:
        with pytest.raises(KeyboardInterrupt):
            list(completed(jobs, None))
        assert not held.is_set()
    finally:
        held.set()
        for thread in threading.enumerate():
            if thread.name.startswith("llmstream-batch"):
                thread.join()
