"""The same bytes and the same events as LangChain's, from the same server."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from fakes.fixtures import KEY, Fake

LANGCHAIN_KEYS = {"event", "run_id", "name", "tags", "metadata", "parent_ids", "data"}
MODEL = """
import asyncio, json, sys
from langchain_openai import OpenAI
url, key, version = sys.argv[1:]
llm = OpenAI(model="m1", api_key=key, base_url=url, temperature=0, max_tokens=512)
async def events():
    async for event in llm.astream_events("Hello", version=version):
        print(json.dumps(event, default=lambda one: one.model_dump()))
if version:
    asyncio.run(events())
else:
    for chunk in llm.stream("Hello"):
        print(chunk, end="|", flush=True)
"""


def langchain(fake: Fake, version: str = "") -> str:
    """Return what LangChain prints: chunks, or events of a version, one a line."""
    pytest.importorskip("langchain_openai")
    arguments = [fake.provider.base_url(), KEY, version]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MODEL, *arguments],
        capture_output=True, check=True, timeout=60, env={**fake.home.environment, "PYTHONUTF8": "1"},
    )  # fmt: skip
    return done.stdout.decode()


def test_the_separator_gives_the_bytes_of_langchains_loop(fake: Fake) -> None:
    theirs = langchain(fake)
    for engine in ("--sync", "--async"):
        ours = fake("ok", adapter="openai-completions")(engine, "--separator", "|", "-n", "Hello")
        assert ours.out == theirs


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_events_are_langchains_one_by_one(fake: Fake, version: str) -> None:
    theirs = [json.loads(line) for line in langchain(fake, version).splitlines()]
    run = fake("ok", adapter="openai-completions")("--events-version", version, "Hello")
    ours = [json.loads(line) for line in run.out.splitlines()]
    assert [event["event"] for event in ours] == [event["event"] for event in theirs]
    for mine, its in zip(ours, theirs, strict=True):
        assert set(its) == LANGCHAIN_KEYS and set(mine) >= LANGCHAIN_KEYS
        for key in LANGCHAIN_KEYS:
            assert type(mine[key]) is type(its[key]), key
        assert set(mine["data"]) >= set(its["data"])
        assert mine["data"].get("chunk") == its["data"].get("chunk")
