"""Ours beside LangChain's own OpenAI model, event by event, on one server that always says the same.

What may differ, and nothing else: run ids; keys that are ours; ``ls_provider``, which is the configured
provider's name here; and metadata about LangChain itself.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest

from llmstream import LLM
from local_model import unavailable
from runnable.little_server import LittleServer

PROMPT = "Write me a 1 verse song about sparkling water."
SETTINGS: dict[str, Any] = {"temperature": 0.0, "max_tokens": 9}
CONFIGS: list[dict[str, Any]] = [
    {"run_name": "OpenAI"},
    {"run_name": "song", "tags": ["a", "b"], "metadata": {"team": "search"}},
]
SHARED = ("ls_model_type", "ls_model_name", "ls_temperature", "ls_max_tokens", "team")
# the versions are LangChain's names for its own events; v1 is deprecated there
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.shares_clients]


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """One event loop for all tests: LangChain's connections outlive a run."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def theirs(little: LittleServer, loop: asyncio.Runner) -> Iterator[Any]:
    """LangChain's model."""
    try:
        import httpx
        from langchain_openai import OpenAI
    except ImportError as error:
        unavailable(f"langchain-openai is not installed: {error}")
    where: dict[str, Any] = {"base_url": little.base_url, "api_key": "sk-little"}
    # its own clients would never be closed
    client, on_loop = httpx.Client(), httpx.AsyncClient()
    yield OpenAI(model="m", http_client=client, http_async_client=on_loop, **where, **SETTINGS)
    client.close()
    loop.run(on_loop.aclose())


def ours(little: LittleServer) -> LLM:
    """Return our model."""
    return little.llm().bind(**SETTINGS)


def printed(chunks: Any) -> str:
    with redirect_stdout(io.StringIO()) as output:
        for chunk in chunks:
            print(chunk, end="|", flush=True)
    return output.getvalue()


async def events(model: Any, **named: Any) -> list[dict[str, Any]]:
    return [event async for event in model.astream_events(PROMPT, **named)]


async def chunks(model: Any) -> list[str]:
    return [chunk async for chunk in model.astream(PROMPT)]


def test_the_loop_of_langchains_manual_prints_the_same(theirs: Any, little: LittleServer) -> None:
    expected = printed(theirs.stream(PROMPT))
    assert printed(ours(little).stream(PROMPT)) == expected
    assert expected.endswith("!||")


def test_the_async_loop_gives_the_same(theirs: Any, little: LittleServer, loop: asyncio.Runner) -> None:
    expected = loop.run(chunks(theirs))
    assert loop.run(chunks(ours(little))) == expected


@pytest.mark.parametrize("config", CONFIGS, ids=["named", "with tags and metadata"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_events_have_the_same_keys_types_and_values(
    theirs: Any, little: LittleServer, loop: asyncio.Runner, version: str, config: dict[str, Any]
) -> None:
    expected = loop.run(events(theirs, version=version, config=config))
    given = loop.run(events(ours(little), version=version, config=config))
    assert [event["event"] for event in given] == [event["event"] for event in expected]
    for one, other in zip(expected, given, strict=True):
        assert set(other) - set(one) == {"seq", "t"}
        for key in ("event", "name", "tags", "parent_ids"):
            assert other[key] == one[key]
        assert type(other["run_id"]) is type(one["run_id"])
        metadata = one["metadata"]
        assert {key: other["metadata"].get(key) for key in SHARED} == {
            key: metadata.get(key) for key in SHARED
        }
        assert {key: other["data"][key] for key in one["data"]} == one["data"]
    assert len({event["run_id"] for event in given}) == 1


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_ids_are_of_the_same_kind_and_are_kept_when_given(
    theirs: Any, little: LittleServer, loop: asyncio.Runner, version: str
) -> None:
    from uuid import UUID

    mine = UUID("0190163d-8694-739b-aea5-966c26f8ad91")
    for model in (theirs, ours(little)):
        found = loop.run(events(model, version=version, config={"run_id": mine}))
        assert {event["run_id"] for event in found} == {str(mine)}
    free = loop.run(events(ours(little), version=version))[0]["run_id"]
    assert UUID(free).version == 7


def test_a_batch_gives_the_same_texts(theirs: Any, little: LittleServer) -> None:
    expected = theirs.batch([PROMPT])
    assert [str(one) for one in ours(little).batch([PROMPT])] == expected


def test_a_chat_model_gives_the_same_kinds_of_events(little: LittleServer) -> None:
    """A script must not break when the model is swapped."""

    def kinds(llm: LLM) -> list[Any]:
        found: list[dict[str, Any]] = [*llm.stream_events(PROMPT)]
        return [(event["event"], type(event["data"].get("chunk"))) for event in found]

    chat, completions = kinds(little.llm(adapter="openai-chat")), kinds(little.llm())
    # only the legacy dialect ends with an empty chunk
    assert chat == [*completions[:-2], completions[-1]]
