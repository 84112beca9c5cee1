"""The real model in its four dialects, in this process and as a plain HTTP provider."""

from __future__ import annotations

import json
from typing import Any

import pytest

from e2e.ways import DIALECTS, PROVIDERS, WAYS, Way
from fakes.command import Command, Home
from llmstream import LLM

GREEDY: Any = {"temperature": 0, "max_tokens": 6}
CAPITALS = [
    {"role": "user", "content": "What is the capital of France?"},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And of Italy?"},
]


def length(dialect: str) -> str:
    """Return what a dialect's server says of an answer that was cut: responses call it completed."""
    return "stop" if dialect.endswith("responses") else "length"


def spoken(dialect: str) -> str:
    """Return a prompt that has a long answer; completions go on where it ends."""
    return "Once upon a time" if dialect.endswith("completions") else "Say hello."


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_comes_token_by_token_with_its_counts_and_reason(
    embedded: Home, provider: str, way: Way
) -> None:
    found = way.answer(LLM(provider, **GREEDY), spoken(provider))
    text, usage = found.completion.text, found.completion.usage
    assert "".join(found.chunks) == text and text.strip()
    assert 5 <= len([chunk for chunk in found.chunks if chunk]) <= 6
    assert found.completion.finish_reason == length(provider)
    assert usage.output_tokens == 6 and usage.input_tokens
    assert usage.total_tokens in (None, usage.input_tokens + 6)
    assert found.completion.timing.ttft is not None


def test_all_ways_of_a_chat_give_one_text_and_count_it_alike(embedded: Home) -> None:
    chats = [provider for provider in PROVIDERS if not provider.endswith("completions")]
    found = [Way(way).answer(LLM(chat, **GREEDY), "Say hello.") for chat in chats for way in WAYS]
    assert len({answer.completion.text for answer in found}) == 1
    counts = {(a.completion.usage.input_tokens, a.completion.usage.output_tokens) for a in found}
    assert len(counts) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_that_ends_by_itself_is_a_stop(embedded: Home, dialect: str, way: Way) -> None:
    found = way.answer(LLM(f"http-{dialect}", temperature=0), CAPITALS)
    assert found.completion.finish_reason == "stop"
    # a model that goes on with a text, not with a conversation, has nothing to add to this one
    assert found.completion.text == ("" if dialect.endswith("completions") else "Rome.")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_turn_and_the_system_prompt_are_heard(embedded: Home, dialect: str, way: Way) -> None:
    llm = LLM(f"http-{dialect}", temperature=0, max_tokens=1)
    brief, long = ({"role": "system", "content": "You know every city. " * times} for times in (1, 9))
    prompts = ([long, *CAPITALS], [brief, *CAPITALS], [brief, CAPITALS[-1]])
    counts = [way.answer(llm, prompt).completion.usage.input_tokens or 0 for prompt in prompts]
    assert counts[0] - counts[1] >= 8 * 5
    assert counts[1] - counts[2] >= 10


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stop_sequence_ends_the_answer_and_is_no_part_of_it(embedded: Home, dialect: str, way: Way) -> None:
    llm, prompt = LLM(f"http-{dialect}", temperature=0, max_tokens=12), spoken(dialect)
    whole = way.answer(llm, prompt).completion.text
    word = whole.split()[2]
    found = way.answer(llm, prompt, stop=[word]).completion
    if dialect.endswith("responses"):  # the API has none; that it is left out is said
        assert found.text == whole
    else:
        assert (found.text, found.finish_reason) == (whole[: whole.index(word)], "stop")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_that_is_left_is_no_longer_written(embedded: Home, dialect: str, way: Way) -> None:
    llm = LLM(f"http-{dialect}", temperature=0)
    begun = way.beginning(llm, 3, "Count to a thousand.", max_tokens=7000, ignore_eos=True)
    assert len(begun) == 3
    # the server has one place for answers: the next one would wait for a minute
    next_one = LLM(f"http-{dialect}", max_tokens=1, max_retries=0, timeout={"first_token": 20, "total": 20})
    assert way.answer(next_one, "Hello").completion.usage.output_tokens == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_command_tells_the_same_as_the_library(
    embedded: Home, run_llmstream: Command, provider: str, way: Way
) -> None:
    wanted = way.answer(LLM(provider, **GREEDY), spoken(provider))
    options = ["--temperature", "0", "--max-tokens", "6", f"--{way.name}", "--events"]
    run = run_llmstream("-m", provider, *options, spoken(provider))
    assert run.status == 0, run.err
    lines = [json.loads(line) for line in run.out.splitlines()]
    pieces = [line["data"]["chunk"] for line in lines if line["event"] == "on_llm_stream"]
    end = lines[-1]
    assert end["event"] == "on_llm_end"
    assert "".join(pieces) == end["data"]["text"] == wanted.completion.text
    assert len(pieces) == len(wanted.chunks)
    assert end["data"]["finish_reason"] == length(provider)
    assert end["data"]["usage"]["output_tokens"] == 6
    assert end["data"]["usage"]["input_tokens"] == wanted.completion.usage.input_tokens


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_asked_for_whole_is_the_same_in_one_chunk(
    embedded: Home, run_llmstream: Command, dialect: str, way: Way
) -> None:
    options = ["--temperature", "0", "--max-tokens", "6", f"--{way.name}", spoken(dialect)]
    streamed = run_llmstream("-m", f"http-{dialect}", *options)
    assert streamed.status == 0 and streamed.out.endswith("\n") and not streamed.out.endswith("\n\n")
    cut = "was cut off at the token limit" if length(dialect) == "length" else ""
    assert cut in streamed.err
    whole = run_llmstream("-m", f"http-{dialect}", "--no-stream", "-S", "|", *options)
    assert (whole.status, whole.out) == (0, streamed.out.rstrip("\n") + "|\n")
    assert whole.err == streamed.err


def test_a_row_of_the_catalogue_reaches_the_model_in_this_process(
    embedded: Home, run_llmstream: Command
) -> None:
    for row in ("local", "local-completions/smollm2"):
        run = run_llmstream("-m", row, "--max-tokens", "4", "--json", "Once upon a time")
        assert run.status == 0, run.err
        told = json.loads(run.out)
        assert told["usage"]["output_tokens"] == 4 and told["model"] == "smollm2"
