"""Many runs in one process: nothing stays behind, and a thousand at once are no trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from llmstream import LLM
from llmstream.engine.policy import Policy
from runnable.fixtures import Way
from runnable.little_server import VERSE, LittleServer, Script, new_tag
from transport.leaving import join_threads, needs_proc, open_now, settled

RUNS = 200
MANY = 1000


def kinds(little: LittleServer) -> list[LLM]:
    """Return models whose answers end in every way."""
    limits = Policy(first_token=0.02, max_retries=0)
    again = Policy(max_retries=1)
    refused = ["refuse", 503, {}, {"retry-after-ms": "1"}]
    scripts: list[tuple[Policy | None, list[Script]]] = [
        (None, []),
        (None, [[["head"], ["text", "a"], ["close"]]]),
        (None, [[["reset"]]]),
        (None, [[["refuse", 401, {"error": {"message": "no"}}]]]),
        (again, [[refused]]),
        (limits, [[["head"], ["hang"]]]),
    ]
    return [little.llm(*given, tag=new_tag(), policy=policy) for policy, given in scripts]


@needs_proc
def test_neither_threads_nor_descriptors_grow(little: LittleServer, way: Way) -> None:
    models = kinds(little)
    left_early = little.llm([["head"], ["text", "a"], ["hang"]])

    def run(count: int) -> None:
        for number in range(count):
            if number % 5 == 4:
                way.beginning(left_early, 1)
            else:
                way.outcome(models[number % len(models)])

    run(12)
    descriptors, threads = open_now()
    run(RUNS)
    join_threads()
    assert open_now() <= (descriptors, threads)


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Enough descriptors for all, as far as the system lets us have them."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY + 256
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"no more than {hard} descriptors may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@needs_proc
@pytest.mark.usefixtures("many_descriptors")
def test_a_thousand_answers_at_once() -> None:
    # a server that may have as many
    with LittleServer() as server:
        tag = new_tag()

        async def one(number: int) -> str:
            script: Script = [
                ["head"], ["text", f"{number}: "], ["gate", tag], *(["text", text] for text in VERSE),
                ["finish", "stop"], ["done"],
            ]  # fmt: skip
            llm = server.llm(script, tag=tag, policy=Policy(max_retries=0, connect=60))
            async with llm.astream("hello") as stream:
                return "".join([chunk async for chunk in stream])

        async def run() -> list[str]:
            await asyncio.to_thread(server.count, tag)
            before = open_now()
            tasks = [asyncio.create_task(one(number)) for number in range(MANY)]
            # none is answered to its end before all are there
            await asyncio.to_thread(server.seen, tag, MANY)
            assert open_now()[0] >= before[0] + MANY
            await asyncio.to_thread(server.open, tag)
            answers = await asyncio.gather(*tasks)
            await settled(before)
            return answers

        verse = "".join(VERSE)
        assert asyncio.run(run()) == [f"{number}: {verse}" for number in range(MANY)]
        server.quiet()
