"""JSON Lines: the tracer's dictionaries byte for byte, valid by the schema, one start, one end."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import HOSTILE, batches, captured, datagrams, on_terminal

from llmstream.engine.meter import Meter
from llmstream.errors import AuthenticationError, Cancelled, LLMStreamError, MissingKey, TimeLimitPassed
from llmstream.events import Event, Finish, ReasoningDelta, Start, TextDelta, ToolCallDelta, Usage
from llmstream.render.jsonl import JsonlSink, JsonSink, schema
from llmstream.tracing.tracer import EventDict, EventsVersion, Tracer

VALID = jsonschema.Draft202012Validator(json.loads(schema()))
ERRORS: tuple[LLMStreamError | None, ...] = (
    None,
    MissingKey("no key: \x1b\x7f", hint="set $KEY", phase="config"),
    AuthenticationError("401 \ud83d", status=401, provider="p"),
    TimeLimitPassed("slow", phase="first_token"),
    Cancelled("stopped"),
)
errors = st.sampled_from(ERRORS)
versions: st.SearchStrategy[EventsVersion] = st.sampled_from(["v1", "v2"])


def tracer(version: EventsVersion = "v2", *, whole: bool = False) -> Tracer:
    """Return a tracer with everything that can stand in an event."""
    return Tracer(
        version,
        run_id="01990000-0000-7000-8000-000000000000",
        name="näme \x7f\u202e",
        tags=["t\x9b"],
        metadata={"caller": 1},
        prompt_text="hi",
        provider="p",
        model="m",
        whole=whole,
    )


def carry(
    sink: JsonlSink | JsonSink, meter: Meter, runs: list[list[Event]], error: LLMStreamError | None
) -> None:
    """Carry a run out as the command does."""
    at = 10.0
    for batch in runs:
        at += 0.123456
        meter.write(batch, at)
        sink.write(batch, at)
    sink.close(error, at + 1)
    sink.close(Cancelled("late"), at + 2)


def dictionaries(source: Tracer, runs: list[list[Event]], error: LLMStreamError | None) -> list[EventDict]:
    """Return what the library gives out for the same run."""
    meter, at = Meter(10.0), 10.0
    made = [source.start(at)]
    for batch in runs:
        at += 0.123456
        meter.write(batch, at)
        made += source.batch(batch, at)
    done = meter.completion(at + 1)
    return [*made, source.error(error, done, at + 1) if error else source.end(done, at + 1)]


def lines(runs: list[list[Event]], error: LLMStreamError | None, source: Tracer) -> bytes:
    """Return what the sink writes."""
    with captured() as (writer, out):
        meter = Meter(10.0)
        sink = JsonlSink(writer, source, meter)
        sink.open(None, 10.0)
        carry(sink, meter, runs, error)
    return out[0]


@given(batches, errors, versions, st.booleans())
def test_lines_are_the_tracers_dictionaries_byte_for_byte(
    runs: list[list[Event]], error: LLMStreamError | None, version: EventsVersion, whole: bool
) -> None:
    want = "".join(
        json.dumps(made, ensure_ascii=False) + "\n"
        for made in dictionaries(tracer(version, whole=whole), runs, error)
    )
    want = re.sub("[\ud800-\udfff]", "\ufffd", want.replace("\x7f", "\\u007f"))
    assert lines(runs, error, tracer(version, whole=whole)).decode() == want


@given(batches, errors, versions)
def test_lines_are_valid_and_tell_the_whole_run(
    runs: list[list[Event]], error: LLMStreamError | None, version: EventsVersion
) -> None:
    raw = lines(runs, error, tracer(version))
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw)
    seen = [json.loads(line) for line in raw.decode().removesuffix("\n").split("\n")]
    for event in seen:
        VALID.validate(event)
    names = [event["event"] for event in seen]
    assert names[0] == "on_llm_start"
    assert names[-1] == ("on_llm_error" if error else "on_llm_end")
    assert not {"on_llm_start", "on_llm_end", "on_llm_error"} & set(names[1:-1])
    assert [event["seq"] for event in seen] == list(range(len(seen)))
    streamed = [event["data"]["chunk"] for event in seen if event["event"] == "on_llm_stream"]
    assert "".join(streamed) == seen[-1]["data"]["text"]
    deltas = [e for b in runs for e in b if isinstance(e, TextDelta | ReasoningDelta | ToolCallDelta)]
    assert len(streamed) == len(deltas)


@pytest.mark.parametrize("error", ERRORS)
def test_a_run_that_ends_before_it_began_has_a_start_and_an_end(error: LLMStreamError | None) -> None:
    with captured() as (writer, out):
        JsonlSink(writer, tracer(), Meter(0.0)).close(error, 5.0)
    names = [json.loads(line)["event"] for line in out[0].splitlines()]
    assert names == ["on_llm_start", "on_llm_error" if error else "on_llm_end"]


def test_a_terminal_gets_nothing_that_it_obeys_and_still_the_same_json() -> None:
    text = "".join(HOSTILE)
    with on_terminal() as (writer, out):
        meter = Meter(0.0)
        carry(JsonlSink(writer, tracer(), meter), meter, [[TextDelta(text)]], None)
    raw = b"".join(out)
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", raw.decode()
    )
    seen = [json.loads(line) for line in raw.split(b"\n") if line]
    assert seen[1]["data"]["chunk"] == re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert seen[0]["name"] == "näme \x7f\u202e"


def test_one_batch_is_one_write() -> None:
    with datagrams() as (writer, received):
        sink = JsonlSink(writer, tracer(), Meter(0.0))
        sink.open(None, 0.0)
        assert received.recv(4096).count(b"\n") == 1
        sink.write([TextDelta("a"), ReasoningDelta("b"), TextDelta("c")], 0.0)
        assert received.recv(4096).count(b"\n") == 3


RUN: list[list[Event]] = [
    [Start("other", "m2")],
    [TextDelta("Hel"), TextDelta("lo"), Usage(1, 2, 3), Finish("stop", "end_turn")],
]


def test_one_object_has_the_ends_data_and_the_runs_identity() -> None:
    with captured() as (writer, out):
        meter = Meter(10.0)
        carry(JsonSink(writer, tracer(), meter), meter, RUN, None)
    document = json.loads(out[0])
    assert out[0].count(b"\n") == 1
    assert list(document)[:3] == ["run_id", "provider", "model"]
    assert (document["provider"], document["model"], document["text"]) == ("other", "m2", "Hello")
    assert document["raw_finish_reason"] == "end_turn"


def test_one_object_of_a_failed_run_has_the_error() -> None:
    with captured() as (writer, out):
        meter = Meter(10.0)
        carry(JsonSink(writer, tracer(), meter), meter, [], ERRORS[1])
    document = json.loads(out[0])
    assert document["error"]["type"] == "MissingKey"
    assert (document["provider"], document["model"], document["text"]) == ("p", "m", "")


@given(batches, errors)
def test_one_object_is_one_valid_line(runs: list[list[Event]], error: LLMStreamError | None) -> None:
    with captured() as (writer, out):
        meter = Meter(10.0)
        carry(JsonSink(writer, tracer(), meter), meter, runs, error)
    assert out[0].endswith(b"\n")
    assert out[0].count(b"\n") == 1
    json.loads(out[0])
