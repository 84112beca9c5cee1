"""What LangChain's own OpenAI model gives, ours gives too, against the local model's endpoint."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmstream import LLM
from local_model import served, unavailable

PROMPT = "Once upon a time, there was a glass of sparkling water."
SETTINGS: dict[str, Any] = {"temperature": 0, "max_tokens": 24, "seed": 1}


@pytest.fixture(scope="module")
def endpoint() -> tuple[str, str]:
    address, key = served()
    return f"{address}/v1", key.reveal()


def openai(endpoint: tuple[str, str], **clients: Any) -> Any:
    try:
        from langchain_openai import OpenAI
    except ImportError:
        unavailable("langchain-openai is not installed")
    where: dict[str, Any] = {"base_url": endpoint[0], "api_key": endpoint[1]}
    return OpenAI(model="smollm2", **where, **SETTINGS, **clients)


@pytest.fixture(scope="module")
def theirs(endpoint: tuple[str, str]) -> Any:
    return openai(endpoint)


@pytest.fixture(scope="module")
def ours(endpoint: tuple[str, str]) -> LLM:
    return LLM("openai-completions/smollm2", base_url=endpoint[0], api_key=endpoint[1], **SETTINGS)


def test_the_seed_example_prints_the_same(theirs: Any, ours: LLM) -> None:
    outputs = []
    for model in (theirs, ours):
        with redirect_stdout(io.StringIO()) as output:
            for chunk in model.stream(PROMPT):
                print(chunk, end="|", flush=True)
        outputs.append(output.getvalue())
    assert outputs[0] == outputs[1]
    assert outputs[0].count("|") > 5


@pytest.mark.parametrize("engine", ["--sync", "--async"])
def test_the_command_with_a_separator_prints_the_same(
    theirs: Any, endpoint: tuple[str, str], tmp_path: Path, engine: str
) -> None:
    config = tmp_path / "c.toml"
    config.write_text(
        f'[providers.p]\nadapter = "openai-completions"\nbase_url = "{endpoint[0]}"\n'
        'model = "smollm2"\napi_key_env = "LOCAL_KEY"\n'
    )
    options = ["--temperature", "0", "--max-tokens", "24", "--seed", "1", "--separator", "|", "-n", engine]
    done = subprocess.run(
        [sys.executable, "-m", "llmstream", "--config", str(config), "-m", "p", *options, PROMPT],
        capture_output=True,
        env={**os.environ, "LOCAL_KEY": endpoint[1]},
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout.decode() == "".join(f"{chunk}|" for chunk in theirs.stream(PROMPT))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_events_have_the_same_seven_keys(endpoint: tuple[str, str], ours: LLM, version: str) -> None:
    async def collected(model: Any) -> list[Any]:
        return [event async for event in model.astream_events(PROMPT, version=version)]

    async def of_theirs() -> list[Any]:
        # a kept connection belongs to one loop, and LangChain's own client outlives it
        async with httpx.AsyncClient() as client:
            return await collected(openai(endpoint, http_async_client=client))

    expected, given = asyncio.run(of_theirs()), asyncio.run(collected(ours))
    assert [event["event"] for event in given] == [event["event"] for event in expected]
    for one, other in zip(expected, given, strict=True):
        assert set(one) <= set(other)
        assert {key: type(one[key]) for key in one} == {key: type(other[key]) for key in one}
        if one["event"] == "on_llm_stream":
            assert one["data"]["chunk"] == other["data"]["chunk"]
    text = "".join(event["data"]["chunk"] for event in given if event["event"] == "on_llm_stream")
    assert given[-1]["data"]["text"] == text
