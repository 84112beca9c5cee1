"""OpenAI's legacy completions: what is asked for, and what the chunks mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_native_recordings import FOLDER, expected, pieces, summary

from llmstream.adapters.openai_completions import CompletionsReader, OpenAICompletions
from llmstream.errors import BadMessage, ProviderError, RequestRefused, Unavailable
from llmstream.events import Event, Finish, TextDelta, Usage
from llmstream.prompt import Attachment, Endpoint, Message, Options, Prompt, Secret
from llmstream.wire import decoder
from llmstream.wire.message import WireMessage

ENDPOINT = Endpoint("acme", "gpt-3.5-turbo-instruct", "https://acme.test/v1", Secret("sk-key"))
HELLO = Prompt((Message("user", "hi"),))
RECORDINGS = sorted(path.with_suffix("") for path in (FOLDER / "openai-completions").glob("*.body"))
ANSWERS = [path for path in RECORDINGS if expected(path)["status"] == 200]


def read(*documents: Any, event: str = "message") -> list[Event]:
    """Return the events of these messages."""
    reader = CompletionsReader()
    return [e for document in documents for e in reader.read(WireMessage(event, json.dumps(document)))]


def chunk(text: str, finish: str | None = None, index: int = 0) -> Any:
    """Return one chunk."""
    return {"choices": [{"index": index, "text": text, "finish_reason": finish, "logprobs": None}]}


def test_a_request_holds_the_prompts_text() -> None:
    options = Options(temperature=0, max_tokens=512, stop=("\n",))
    request = OpenAICompletions().request(HELLO, options, ENDPOINT, stream=True)
    assert (request.method, request.url) == ("POST", "https://acme.test/v1/completions")
    assert request.headers["authorization"] == "Bearer sk-key"
    assert request.notices == ()
    assert json.loads(request.body) == {
        "model": "gpt-3.5-turbo-instruct", "prompt": "hi", "stream": True, "temperature": 0, "max_tokens": 512,
        "stop": ["\n"], "stream_options": {"include_usage": True},
    }  # fmt: skip


def test_messages_are_joined_by_a_blank_line() -> None:
    prompt = Prompt((Message("system", "be brief"), Message("user", "hi")))
    request = OpenAICompletions().request(prompt, Options(), ENDPOINT, stream=False)
    assert json.loads(request.body)["prompt"] == "be brief\n\nhi"
    assert request.framing == "whole"


def test_what_the_dialect_can_not_take_is_said_and_left_out() -> None:
    prompt = Prompt((Message("user", "hi", (Attachment("image/png", b"x"),)),))
    request = OpenAICompletions().request(prompt, Options(top_k=3, tool_choice="auto"), ENDPOINT, stream=True)
    assert [notice.split(":")[0] for notice in request.notices] == [
        "openai-completions doesn't support the option 'top_k'",
        "openai-completions doesn't support the option 'tool_choice'",
        "openai-completions doesn't accept attachments",
    ]
    assert not {"top_k", "tool_choice"} & set(json.loads(request.body))


def test_each_chunk_with_a_choice_is_a_delta_the_empty_one_too() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    found = read(chunk(""), chunk("a"), chunk("", "stop"), {"choices": [], "usage": usage})
    assert found == [TextDelta(""), TextDelta("a"), TextDelta(""), Finish("stop", "stop"), Usage(1, 2, 3)]


def test_the_chunk_with_the_finish_reason_may_still_carry_text() -> None:
    assert read(chunk("z", "length")) == [TextDelta("z"), Finish("length", "length")]


def test_choices_other_than_the_first_are_no_part_of_the_answer() -> None:
    assert read(chunk("x", "stop", index=1)) == []


@pytest.mark.parametrize("end", ["[DONE]", "[DONE] "])
def test_the_end_mark_ends(end: str) -> None:
    reader = CompletionsReader()
    assert list(reader.read(WireMessage("message", end))) == []
    assert reader.done


def test_a_whole_document_is_complete() -> None:
    reader = CompletionsReader()
    assert TextDelta("all") in list(reader.read(WireMessage("whole", json.dumps(chunk("all", "stop")))))
    assert reader.done


@pytest.mark.parametrize(
    ("document", "event", "kind"),
    [
        ({"error": {"message": "it broke", "type": "server_error"}}, "message", Unavailable),
        ({"error": "it broke"}, "message", RequestRefused),
        ({"object": "error", "message": "it broke", "code": 404}, "message", RequestRefused),
        ({"detail": "it broke"}, "message", RequestRefused),
        ({"message": "it broke"}, "error", RequestRefused),
        ({"message": "it broke"}, "whole", RequestRefused),
    ],
)
def test_failures_are_reported_in_many_forms(document: Any, event: str, kind: type) -> None:
    with pytest.raises(kind, match="it broke"):
        read(document, event=event)


def test_text_that_is_no_text_is_not_of_this_dialect() -> None:
    with pytest.raises(BadMessage):
        read({"choices": [{"index": 0, "text": True}]})


@pytest.mark.parametrize("cutting", ["whole", "bytes", "pieces"])
@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.name)
def test_a_recorded_answer_is_understood_however_it_is_cut(path: Path, cutting: str) -> None:
    wanted, failure = expected(path), ""
    found: list[Event] = []
    reader, wire = CompletionsReader(), decoder("sse", wanted["content_type"])
    try:
        for data in (*pieces(path.with_suffix(".body").read_bytes(), cutting), b""):
            for message in wire.feed(data) if data else wire.close():
                found += reader.read(message)
    except ProviderError as error:
        failure = error.message
    assert (wanted["error"] or "") in failure
    assert bool(wanted["error"]) == bool(failure)
    assert (reader.done or reader.finished) == wanted["complete"]
    assert summary(found) == {name: wanted[name] for name in summary([])}


@pytest.mark.parametrize(
    "path", [path for path in RECORDINGS if path not in ANSWERS], ids=lambda path: path.name
)
def test_a_recorded_refusal_says_what_the_provider_said(path: Path) -> None:
    wanted = expected(path)
    body = path.with_suffix(".body").read_bytes()
    error = OpenAICompletions().error(wanted["status"], wanted["headers"], body)
    assert wanted["error"] in error.message
    assert (error.status, error.retryable) == (wanted["status"], False)
