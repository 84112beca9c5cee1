"""`--events`: every line by the schema, start first, end or error last, LangChain's keys."""

from __future__ import annotations

import json
import signal
from functools import cache
from typing import Any

import jsonschema
import pytest

from fakes.command import Run
from fakes.fixtures import Fake
from fakes.scenarios import VERSE
from llmstream.render.jsonl import schema

ENGINES = pytest.mark.parametrize("engine", ["--sync", "--async"])
VERSIONS = pytest.mark.parametrize("version", ["v1", "v2"])
KEYS = {"event", "run_id", "name", "tags", "metadata", "parent_ids", "data", "seq", "t"}


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(schema()))


def events_of(run: Run) -> list[dict[str, Any]]:
    """Return the lines of a run, each of them checked."""
    events = [json.loads(line) for line in run.out.splitlines()]
    for number, event in enumerate(events):
        _validator().validate(event)
        assert set(event) >= KEYS and event["seq"] == number
    assert events[0]["event"] == "on_llm_start"
    assert events[-1]["event"] in ("on_llm_end", "on_llm_error")
    assert [e["event"] for e in events[1:-1] if e["event"] not in ("on_llm_stream", "on_custom_event")] == []
    assert len({event["run_id"] for event in events}) == 1
    assert [e["t"] for e in events] == sorted(e["t"] for e in events)
    return events


def text_of(events: list[dict[str, Any]]) -> str:
    """Return all chunks joined."""
    return "".join(e["data"]["chunk"] for e in events if e["event"] == "on_llm_stream")


def test_the_command_prints_the_schema_that_the_tests_use(fake: Fake) -> None:
    run = fake.command("schema", "events")
    assert (run.status, run.out) == (0, schema())
    jsonschema.Draft202012Validator.check_schema(json.loads(run.out))


@ENGINES
@VERSIONS
@pytest.mark.parametrize("adapter", ["openai-chat", "openai-completions"])
def test_a_good_run(fake: Fake, engine: str, version: str, adapter: str) -> None:
    run = fake("ok", adapter=adapter)(engine, "--events-version", version, "Hello")
    assert (run.status, run.err) == (0, "")
    events = events_of(run)
    end = events[-1]["data"]
    assert events[0]["data"]["input"] == "Hello"
    assert text_of(events) == end["text"] == "".join(VERSE)
    assert end["usage"]["total_tokens"] == 14
    assert end["timing"]["chunks"] == len(events) - 2
    if version == "v1":
        assert end["output"] == end["text"] and events[0]["metadata"] == {}
    else:
        assert end["output"]["generations"][0][0]["text"] == end["text"]
        kind = "llm" if adapter == "openai-completions" else "chat"
        assert events[0]["metadata"]["ls_model_type"] == kind
        assert events[0]["metadata"]["ls_provider"] == "fake"


def test_two_is_the_version_unless_another_is_named(fake: Fake) -> None:
    events = events_of(fake("ok")("--events", "-o", "temperature=0", "-o", "max_tokens=9", "Hello"))
    assert events[0]["metadata"]["ls_temperature"] == 0
    assert events[0]["metadata"]["ls_max_tokens"] == 9


@ENGINES
@pytest.mark.parametrize("arguments", [["--no-stream"], []])
def test_an_answer_that_comes_whole_is_one_stream_event(
    fake: Fake, engine: str, arguments: list[str]
) -> None:
    events = events_of(fake("whole")(engine, "--events", *arguments, "Hello"))
    assert [event["event"] for event in events] == ["on_llm_start", "on_llm_stream", "on_llm_end"]


def test_thinking_and_tool_calls_are_in_their_own_places(fake: Fake) -> None:
    events = events_of(fake("thinking")("--events", "Hello"))
    assert text_of(events) == "done"
    assert "".join(e["data"].get("reasoning", "") for e in events[1:-1]) == "let me think"
    end = events_of(fake("tools")("--events", "Hello"))[-1]["data"]
    assert end["finish_reason"] == "tool_calls"
    assert [(call["name"], json.loads(call["arguments"])) for call in end["tool_calls"]] == [
        ("weather", {"city": "Oslo"})
    ]


@ENGINES
@pytest.mark.parametrize(
    ("scenario", "status", "kind", "text"),
    [
        ("401", 4, "AuthenticationError", ""),
        ("context", 5, "ContextTooLong", ""),
        ("ends-early", 9, "StreamEndedEarly", "so far"),
        ("garbage", 9, "BadMessage", "so far"),
        ("cut", 9, "StreamBroken", "so far"),
    ],
)
def test_a_failure_is_the_last_event(
    fake: Fake, engine: str, scenario: str, status: int, kind: str, text: str
) -> None:
    run = fake(scenario, more="max_retries = 0")(engine, "--events", "Hello")
    events = events_of(run)
    assert run.status == status
    assert events[-1]["event"] == "on_llm_error"
    data = events[-1]["data"]
    assert (data["error"]["type"], data["text"], text_of(events)) == (kind, text, text)
    assert data["error"]["provider"] == "fake"


def test_retries_and_fallbacks_are_events(fake: Fake) -> None:
    events = events_of(fake("429-then-ok")("--events", "Hello"))
    assert [e["name"] for e in events if e["event"] == "on_custom_event"] == ["llmstream.retry"]
    table = fake.provider.table("ok", name="second")
    events = events_of(fake("401", more=table)("--events", "--fallback", "second", "Hello"))
    assert [e["name"] for e in events if e["event"] == "on_custom_event"] == ["llmstream.fallback"]
    assert events[-1]["data"]["provider"] == "second"


@pytest.mark.parametrize(
    ("arguments", "status", "kind"),
    [
        (["-m", "openai", "Hello"], 3, "MissingKey"),
        (["-m", "nowhere/m", "Hello"], 3, "ConfigError"),
        ([], 2, "UsageError"),
        (["--config", "missing.toml", "Hello"], 3, "ConfigError"),
    ],
)
def test_a_run_that_never_began_has_a_start_and_an_error_too(
    fake: Fake, arguments: list[str], status: int, kind: str
) -> None:
    run = fake("ok")("--events", *arguments)
    assert run.status == status
    events = events_of(run)
    assert [event["event"] for event in events] == ["on_llm_start", "on_llm_error"]
    assert events[-1]["data"]["error"]["type"] == kind


def test_json_of_a_failure_is_an_object_too(fake: Fake) -> None:
    run = fake("ends-early", more="max_retries = 0")("--json", "Hello")
    found = json.loads(run.out)
    assert run.status == 9
    assert (found["error"]["type"], found["text"]) == ("StreamEndedEarly", "so far")


@ENGINES
def test_a_time_limit_is_an_error_event_with_its_phase(fake: Fake, engine: str) -> None:
    run = fake("stall", more="max_retries = 0")(engine, "--events", "--timeout-idle", "0.3", "Hello")
    error = events_of(run)[-1]["data"]["error"]
    assert run.status == 8
    assert (error["type"], error["phase"], error["retryable"]) == ("TimeLimitPassed", "stream", True)


@ENGINES
def test_ctrl_c_is_an_error_event_too(fake: Fake, engine: str) -> None:
    process = fake("stall").start(engine, "--events", "Hello")
    assert process.stdout
    begun = process.stdout.readline() + process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out = (begun + process.stdout.read()).decode()
    events = events_of(Run(process.wait(30), out, ""))
    assert process.returncode == 130
    assert events[-1]["data"]["error"]["type"] == "Cancelled"
    assert events[-1]["data"]["text"] == text_of(events) == "so far"
