"""Answers that are left or closed from elsewhere: the connection goes, whoever reads ends, nothing is said."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import pytest

from llmstream import LLM, LLMStreamError
from llmstream.prompt import Endpoint
from llmstream.runnable.targets import Target
from runnable.little_server import LittleServer, Script

HANGING: Script = [["head"], ["text", "a"], ["hang"]]
SEVERAL: Script = [["head"], *(["text", str(number)] for number in range(50)), ["hang"]]

WAYS = {
    "break": "async for c in make('x'): break",
    "return": "async for c in make('x'): return",
    "one anext": "s = make('x')\nawait anext(s)",
    "an exception": "try:\n    async for c in make('x'): raise ValueError\nexcept ValueError: pass",
    "kept for ever": "s = make('x'); KEPT.append(s)\nasync for c in s: break",
    "a cycle": "class A: pass\na = A(); a.s = make('x'); a.me = a\nawait anext(a.s)\ndel a\ngc.collect()",
    "never begun": "make('x')",
    "a generator of one's own": "async def g():\n    async for c in make('x'): yield c\nasync for c in g(): break",
    "two generators": (
        "async def g():\n    async for c in make('x'): yield c\n"
        "async def h():\n    async for c in g(): yield c\nasync for c in h(): break"
    ),
    "a cancelled task": (
        "async def all():\n    async for c in make('x'): pass\n"
        "t = asyncio.create_task(all())\nawait asyncio.sleep(0.05)\nt.cancel()\n"
        "await asyncio.wait([t])"
    ),
    "a task that nobody waits for": (
        "async def all():\n    async for c in make('x'): pass\n"
        "KEPT.append(asyncio.create_task(all()))\nawait asyncio.sleep(0.05)"
    ),
    "two readers": ("s = make('x')\nawait asyncio.gather(anext(s), anext(s), return_exceptions=True)"),
    "closed, then closed again": "s = make('x')\nawait anext(s)\nawait s.aclose()\nawait s.aclose()",
}
PROGRAM = """
import asyncio, gc, json, sys
from llmstream import LLM
KEPT = []
llm = LLM("openai-completions/m", base_url=sys.argv[1], api_key="sk-0123456", max_retries=0,
          scripts=[json.loads(sys.argv[2])])
again = llm.with_retry(wait_exponential_jitter=False)
other = llm.with_fallbacks([llm], exceptions_to_handle=(ValueError,))
several = lambda prompt: llm.abatch_as_completed([prompt, prompt])
MAKES = [llm.astream, llm.aevents, llm.astream_events, again.astream, other.with_retry().astream, other.astream_events]
"""


def program() -> str:
    parts = [PROGRAM]
    for number, body in enumerate(WAYS.values()):
        parts.append(f"async def way_{number}(make):\n{textwrap.indent(body, '    ')}\n")
    parts.append(f"for make in MAKES:\n    for way in ({', '.join(f'way_{n}' for n in range(len(WAYS)))}):\n")
    parts.append("        asyncio.run(way(make))\n        loop = asyncio.new_event_loop()\n")
    parts.append("        loop.run_until_complete(way(make))\n")
    # a loop that is closed in the midst of tasks says so itself, of tasks of anybody's
    parts.append(
        "        for t in asyncio.all_tasks(loop): t.cancel(); loop.run_until_complete(asyncio.wait([t]))\n"
    )
    parts.append(
        "        loop.run_until_complete(loop.shutdown_asyncgens())\n        loop.close()\nprint('fine')\n"
    )
    return "".join(parts)


def test_leaving_an_async_answer_says_nothing_however_it_is_left(little: LittleServer) -> None:
    import json

    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", program(), little.base_url, json.dumps(SEVERAL)],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "LLMSTREAM_CONFIG": os.devnull},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")
    little.quiet()


SYNC: dict[str, Callable[[LLM], Any]] = {
    "stream": lambda llm: llm.stream("hi"),
    "events": lambda llm: llm.events("hi"),
    "stream_events": lambda llm: llm.stream_events("hi"),
}
ASYNC: dict[str, Callable[[LLM], Any]] = {
    "astream": lambda llm: llm.astream("hi"),
    "aevents": lambda llm: llm.aevents("hi"),
    "astream_events": lambda llm: llm.astream_events("hi"),
}
SLOW_PROCESS = Target("exec", Endpoint("own", "m", ""), command=("sh", "-c", "echo a; exec sleep 60"))


def models(little: LittleServer) -> list[LLM]:
    return [little.llm(HANGING), little.llm([["hang"]]), LLM(SLOW_PROCESS)]


@pytest.mark.parametrize("kind", range(3), ids=["an answer", "no head yet", "a process"])
@pytest.mark.parametrize("how", SYNC)
def test_closing_from_another_thread_ends_the_read(little: LittleServer, how: str, kind: int) -> None:
    running = SYNC[how](models(little)[kind])
    waits, failed = threading.Event(), []

    def read() -> None:
        try:
            for _ in running:
                waits.set()
        except LLMStreamError:
            pass
        except BaseException as error:
            failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    # of a head that never comes there is no first piece
    waits.wait(20 if kind != 1 else 0.1)
    running.close()
    running.close()
    reader.join(20)
    assert not reader.is_alive() and failed == []
    assert next(running, None) is None
    little.quiet()


@pytest.mark.parametrize("kind", range(3), ids=["an answer", "no head yet", "a process"])
@pytest.mark.parametrize("how", ASYNC)
@pytest.mark.parametrize("where", ["another task", "another thread"])
def test_closing_from_elsewhere_ends_the_read_of_a_task(
    little: LittleServer, how: str, kind: int, where: str
) -> None:
    async def run() -> None:
        running = ASYNC[how](models(little)[kind])
        waits = asyncio.Event()

        async def read() -> None:
            async for _ in running:
                waits.set()

        reader = asyncio.create_task(read())
        if kind == 1:
            await asyncio.sleep(0.1)
        else:
            await asyncio.wait_for(waits.wait(), 20)
        if where == "another task":
            await running.aclose()
            await running.aclose()
        else:
            await asyncio.to_thread(asyncio.run, running.aclose())
        await asyncio.wait_for(reader, 20)
        assert await anext(running, None) is None

    asyncio.run(run())
    little.quiet()


def test_a_wait_for_the_next_attempt_can_be_closed(little: LittleServer) -> None:
    from llmstream.engine.policy import Policy

    refused: Script = [["refuse", 503, {}, {"retry-after": "50"}]]
    stream = little.llm(refused, policy=Policy(max_retries=1)).events("hi")
    told = threading.Event()

    def read() -> None:
        for event in stream:
            if type(event).__name__ == "Retry":
                told.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert told.wait(20)
    stream.close()
    reader.join(20)
    assert not reader.is_alive()
