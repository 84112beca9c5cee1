"""The projection: LangChain's dictionaries, and what ours say beyond them."""

from __future__ import annotations

import re
import time

import pytest

from llmstream.engine.meter import Completion, Meter
from llmstream.errors import Unavailable, UsageError
from llmstream.events import (
    Event,
    Fallback,
    Finish,
    Notice,
    ReasoningDelta,
    Retry,
    Start,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from llmstream.prompt import Attachment, Message, Options, Prompt, ToolCall
from llmstream.tracing.tracer import EventsVersion, Tracer, spoken, uuid7

KEYS = ["event", "run_id", "name", "tags", "metadata", "data", "parent_ids", "seq", "t"]


def test_run_ids_are_uuids_of_version_7_in_order_of_time() -> None:
    ids = []
    for _ in range(50):
        ids.append(uuid7())
        time.sleep(0.00001)
    form = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(form.fullmatch(made) for made in ids)
    assert ids == sorted(ids)
    assert abs(int(ids[0].replace("-", "")[:12], 16) / 1000 - time.time()) < 60


def test_v1_is_langchains_v1() -> None:
    tracer = Tracer("v1", run_id="R", name="OpenAI", prompt_text="hi", provider="openai", model="m")
    same = {"run_id": "R", "name": "OpenAI", "tags": [], "metadata": {}, "parent_ids": []}
    start = tracer.start(1.0)
    assert start == {"event": "on_llm_start", **same, "data": {"input": "hi"}, "seq": 0, "t": 0.0}
    assert list(start) == KEYS
    assert tracer.batch([TextDelta("Hello")], 1.5) == [
        {"event": "on_llm_stream", **same, "data": {"chunk": "Hello"}, "seq": 1, "t": 0.5}
    ]
    end = tracer.end(Completion("Hello"), 2.0)
    data = end["data"]
    assert isinstance(data, dict)
    assert data["output"] == "Hello"


def test_v2_has_langchains_metadata_and_generations() -> None:
    tracer = Tracer(
        metadata={"user": 7, "ls_provider": "mine"},
        tags=["a"],
        provider="openai",
        model="gpt-3.5-turbo-instruct",
        options=Options(temperature=0.7, max_tokens=256, stop=("\n",), seed=1),
    )
    start = tracer.start(0.0)
    assert start["metadata"] == {
        "user": 7,
        "ls_provider": "openai",
        "ls_model_type": "llm",
        "ls_model_name": "gpt-3.5-turbo-instruct",
        "ls_temperature": 0.7,
        "ls_max_tokens": 256,
        "ls_stop": ["\n"],
    }
    assert tracer.end_data(Completion("Hi", raw_finish_reason="stop"))["output"] == {
        "generations": [
            [
                {
                    "text": "Hi",
                    "generation_info": {"finish_reason": "stop", "logprobs": None},
                    "type": "Generation",
                }
            ]
        ],
        "llm_output": None,
    }


def test_options_that_are_not_set_are_not_in_the_metadata() -> None:
    assert set(Tracer().start(0.0)["metadata"] or ()) == {  # type: ignore[arg-type]  # a dictionary
        "ls_provider",
        "ls_model_type",
        "ls_model_name",
    }


@pytest.mark.parametrize(
    ("event", "kind", "name", "data"),
    [
        (TextDelta(""), "on_llm_stream", "LLM", {"chunk": ""}),
        (ReasoningDelta("hm"), "on_llm_stream", "LLM", {"chunk": "", "reasoning": "hm"}),
        (
            ToolCallDelta(1, "c", None, '{"a'),
            "on_llm_stream",
            "LLM",
            {"chunk": "", "tool_calls": [{"index": 1, "id": "c", "name": None, "arguments": '{"a'}]},
        ),
        (
            Retry(1, 0.5, "503"),
            "on_custom_event",
            "llmstream.retry",
            {"attempt": 1, "wait": 0.5, "error": "503"},
        ),
        (
            Fallback("p", "m", "x"),
            "on_custom_event",
            "llmstream.fallback",
            {"provider": "p", "model": "m", "error": "x"},
        ),
        (Notice("n"), "on_custom_event", "llmstream.warning", {"message": "n"}),
    ],
)
def test_each_event_has_its_dictionary(event: Event, kind: str, name: str, data: dict[str, object]) -> None:
    (made,) = Tracer().batch([event], 0.0)
    assert (made["event"], made["name"], made["data"]) == (kind, name, data)


def test_events_for_the_engine_alone_have_none() -> None:
    assert Tracer().batch([Start("p", "m"), Usage(1), Finish("stop")], 0.0) == []


def test_a_whole_answer_is_one_stream_event() -> None:
    batch: list[Event] = [
        ReasoningDelta("hm"),
        TextDelta("a"),
        ToolCallDelta(0, "i", "n", "{}"),
        TextDelta("b"),
        Notice("n"),
    ]
    stream, note = Tracer(whole=True).batch([*batch, Finish("stop")], 0.0)
    assert stream["data"] == {
        "chunk": "ab",
        "reasoning": "hm",
        "tool_calls": [{"index": 0, "id": "i", "name": "n", "arguments": "{}"}],
    }
    assert (note["name"], note["seq"]) == ("llmstream.warning", 1)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_error_has_what_had_come(version: EventsVersion) -> None:
    meter = Meter(0.0)
    meter.write([TextDelta("par"), Usage(output_tokens=1)], 0.5)
    error = Unavailable("busy", hint="wait", provider="p", status=503, phase="stream")
    made = Tracer(version).error(error, meter.completion(1.0), 1.0)
    data = made["data"]
    assert isinstance(data, dict)
    assert list(data) == ["error", "text", "usage", "timing"]
    assert data["text"] == "par"
    assert data["error"] == {
        "type": "Unavailable",
        "message": "busy",
        "status": 503,
        "provider": "p",
        "phase": "stream",
        "retryable": True,
        "hint": "wait",
    }


def test_a_version_that_langchain_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="v3"):
        Tracer("v3")  # type: ignore[arg-type]  # what a user may write


def test_what_is_not_known_is_null() -> None:
    data = Tracer(provider="p", model="m").end_data(Completion("", usage=Usage(cost=float("nan"))))
    assert data["reasoning"] is None
    assert data["cost"] is None
    assert data["tool_calls"] == []
    assert (data["provider"], data["model"]) == ("p", "m")
    assert set((data["usage"] or {}).values()) == {None}  # type: ignore[union-attr]  # a dictionary


def test_an_event_that_is_changed_does_not_change_the_next() -> None:
    tracer = Tracer(tags=["a"], metadata={"b": 1})
    first = tracer.start(0.0)
    assert isinstance(first["tags"], list)
    assert isinstance(first["metadata"], dict)
    first["tags"].append("x")
    first["metadata"]["y"] = 1
    (second,) = tracer.batch([TextDelta("")], 0.0)
    assert second["tags"] == ["a"]
    assert "y" not in (second["metadata"] or ())  # type: ignore[operator]  # a dictionary


def test_a_prompt_of_one_text_has_no_messages_and_any_other_has() -> None:
    assert spoken(Prompt((Message("user", "hi"),))) == ("hi", None)
    call = ToolCall(0, "i", "n", "{}")
    messages = (
        Message("system", "be brief"),
        Message("user", "hi", (Attachment("image/png", b"...", None, "a.png"),)),
        Message("assistant", "", (), (call,)),
        Message("tool", "7", tool_call_id="i", name="n"),
    )
    text, said = spoken(Prompt(messages))
    start = Tracer(prompt_text=text, messages=said).start(0.0)
    assert start["data"] == {
        "input": "be brief\n\nhi\n\n\n\n7",
        "messages": [
            {"role": "system", "content": "be brief"},
            {
                "role": "user",
                "content": "hi",
                "attachments": [{"media_type": "image/png", "name": "a.png", "url": None}],
            },
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"index": 0, "id": "i", "name": "n", "arguments": "{}"}],
            },
            {"role": "tool", "content": "7", "tool_call_id": "i", "name": "n"},
        ],
    }
