"""Messages that are no piece of an answer, or one of an odd shape: errors, other dialects, calls glued together."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.adapters import json_values, parts, tool_calls
from llmstream.adapters.error_words import message_in, words_of_page
from llmstream.adapters.openai_chat import ChatReader
from llmstream.adapters.opening import check, dialect_of, opened, reported
from llmstream.adapters.parts import Parts
from llmstream.adapters.tool_calls import ToolCalls
from llmstream.errors import BadMessage, LLMStreamError, ProviderError
from llmstream.events import ReasoningDelta, TextDelta, ToolCallDelta
from llmstream.wire.message import WireMessage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def failure(document: Any, event: str = "message") -> LLMStreamError | None:
    """Return the error that a message of the chat dialect turns out to be, None for none."""
    message = WireMessage(event, document if isinstance(document, str) else json.dumps(document))
    try:
        check(message, opened(message), "choices")
    except LLMStreamError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"error": "overloaded", "message": "try later"}, "overloaded: try later"),
        ({"x_groq": {"error": {"message": "bad tool"}}}, "bad tool"),
        ({"choices": None, "base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "login fail"),
        ({"detail": [{"loc": ["body", "model"], "msg": "field required"}]}, "model: field required"),
        ({"success": False, "message": "no"}, "no"),
        ({"message": "gone", "code": 410}, "gone"),
        ({"message": "gone", "status_code": "410"}, "gone"),
        ({"message": "slow down", "statusCode": 429}, "slow down"),
        ({"message": "it broke", "type": "server_error"}, "it broke"),
        ([{"error": {"message": "in a list"}}], "in a list"),
    ],
)
def test_an_error_is_one_in_whatever_form_it_comes(document: Any, says: str) -> None:
    found = failure(document)
    assert found is not None and says in found.message


@pytest.mark.parametrize(
    ("document", "event"),
    [
        ("", "message"), (": comment", "message"), ("[ping]", "message"), ("null", "message"), ("x", "keep-alive"),
        ({"type": "ping"}, "message"), ({"message": "fine", "code": "0"}, "message"),
        ({"message": "fine", "type": "note"}, "message"), ({"message": "fine", "code": 200, "x": 1}, "message"),
        ({"error": None, "choices": []}, "message"), ([{"choices": [1]}], "message"), ({}, "message"),
    ],
)  # fmt: skip
def test_what_only_keeps_a_connection_alive_is_no_error(document: Any, event: str) -> None:
    assert failure(document, event) is None


@pytest.mark.parametrize("document", ["so it is not JSON at all, but a sentence", [1, 2], '"text"'])
def test_what_is_neither_is_no_message_of_the_dialect(document: Any) -> None:
    assert isinstance(failure(document), BadMessage)


@pytest.mark.parametrize(
    ("document", "event", "says"),
    [
        ("it broke", "error", "it broke"),
        (["it", "broke"], "bare", "it; broke"),
        ({"message": "x", "y": 1}, "error", "x"),
    ],
)
def test_what_comes_as_an_error_is_one_whatever_it_says(document: Any, event: str, says: str) -> None:
    found = failure(document, event)
    assert isinstance(found, ProviderError) and says in found.message


@pytest.mark.parametrize(
    ("document", "dialect"),
    [
        ({"choices": [{"text": "a"}]}, "openai-completions"), ({"choices": [{"delta": {}}]}, "openai-chat"),
        ({"choices": [{}]}, ""), ({"choices": [5]}, ""),
        ({"type": "response.created"}, "openai-responses"), ({"object": "response"}, "openai-responses"),
        ({"type": "message_start"}, "anthropic"), ({"type": "message", "content": []}, "anthropic"),
        ({"type": "content-delta"}, "cohere"), ({"event_type": "text-generation"}, "cohere"),
        ({"candidates": []}, "gemini"), ({"done": False, "response": "a"}, "ollama"), ({"done": True}, ""),
    ],
)  # fmt: skip
def test_an_answer_in_another_dialect_is_named(document: Any, dialect: str) -> None:
    assert dialect_of(document) == dialect
    found = failure({key: value for key, value in document.items() if key != "choices"})
    assert not dialect or "choices" in document or dialect in str(found and found.hint)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": "429"}, 429),
        ({"code": 503}, 503),
        ({"status": "0429"}, None),
        ({"code": True}, None),
        ("text", None),
    ],
)
def test_a_status_is_read_from_where_it_stands(error: Any, status: int | None) -> None:
    assert reported(error, {"message": "m"}).status == status


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"error": {"message": "Provider returned error", "metadata": {"raw": '{"error": "quota"}'}}}, "quota"),
        ({"message": "m", "details": {"reason": "R"}}, "m: R"),
        ({"message": "m", "details": [5, {"fieldViolations": [{"field": "f", "description": "d"}, 5]}]}, "m: f: d"),
        ({"message": "m", "failed_generation": " <tool "}, "m: <tool"),
        ({"error": "bad", "detail": "Bad"}, "bad"),
        ({"loc": ["body", "x"]}, "x"), ({"param": "p"}, "p"), ({"loc": "no path", "msg": "m"}, "m"),
        ("[not json", "[not json"), ([{"message": "a"}, {"message": "a"}, "b"], "a; b"), (5, ""), (None, ""),
    ],
)  # fmt: skip
def test_the_words_that_help_are_found_where_they_stand(document: Any, says: str) -> None:
    assert message_in(document).endswith(says)


def test_words_that_lie_too_deep_are_not_looked_for() -> None:
    deep: Any = "deep"
    for _ in range(20):
        deep = {"error": deep}
    assert message_in(deep) == ""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html><title>Bad\n gateway &amp; co</title>", "Bad gateway & co"),
        (b"<Error><Message>no bucket</Message></Error>", "no bucket"),
        (b"<p>plain <b>words</b></p><script>x</script>", "plain"), (b" just text ", "just text"), (b"", ""),
    ],
)  # fmt: skip
def test_a_page_says_its_title_xml_its_message_and_text_itself(body: bytes, says: str) -> None:
    assert says in words_of_page(body)


@given(JSON, st.sampled_from(["message", "error", "bare", "whole", "ping"]))
def test_whatever_comes_is_a_document_or_an_error_of_ours(document: Any, event: str) -> None:
    message_in(document)
    failure(json.dumps(document), event)


def given_out(
    *pieces: tuple[int | None, str | None, str | None, str], whole: bool = False
) -> list[ToolCallDelta]:
    calls = ToolCalls()
    return [delta for piece in pieces for delta in calls.piece(*piece, whole=whole)]


def test_calls_whose_arguments_are_glued_together_are_told_apart() -> None:
    found = given_out((0, "a", "f", '{"x": 1}{"x": 2} [3]'))
    assert [(one.index, one.name, one.arguments) for one in found] == [
        (0, "f", '{"x": 1}'), (1, "f", '{"x": 2}'), (2, "f", "[3]"),
    ]  # fmt: skip


def test_a_call_that_is_repeated_whole_at_the_end_counts_once() -> None:
    assert len(given_out((0, "a", "f", '{"x":'), (0, "a", None, " 1}"), (0, "a", "f", '{"x": 1}'))) == 2


def test_another_name_or_another_value_begins_another_call() -> None:
    assert [one.index for one in given_out((0, None, "f", "{}"), (0, None, "g", "{}"))] == [0, 1]
    assert [one.index for one in given_out((0, None, "f", "{}"), (0, None, None, "{}"))] == [0, 1]
    assert [one.index for one in given_out((0, None, "f", "{}"), (0, None, None, " "))] == [0, 0]
    assert [one.index for one in given_out((None, None, "f", "{"), (None, None, "g", "{}"))] == [0, 1]


def test_a_flood_of_calls_or_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_calls, "MOST_CALLS", 3)
    with pytest.raises(BadMessage, match="more than 3"):
        given_out(*[(n, None, "f", "{}") for n in range(4)])
    monkeypatch.setattr(parts, "MOST_PARTS", 3)
    several = Parts()
    with pytest.raises(BadMessage, match="more than 3"):
        for number in range(4):
            several.said(("text", number), "x")


def test_a_part_whose_number_is_none_is_not_of_the_dialect() -> None:
    for use in (Parts().said, lambda key, text: list(Parts().missing(key, text))):
        with pytest.raises(BadMessage):
            use(("text", []), "x")


def test_text_that_comes_whole_behind_its_pieces_is_given_once() -> None:
    several = Parts()
    assert not several
    several.said(("text", 0, 0), "Hello ")
    several.said(("text", 0, 1), "world")
    assert several
    assert list(several.missing(("text", 0, 7), "Hello world")) == []
    assert list(several.missing(("text", 1, 0), "more")) == [TextDelta("more")]


def test_where_there_are_very_many_parts_a_repetition_is_not_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "MOST_COMPARED", 0)
    several = Parts()
    several.said(("text", 0), "a")
    assert list(several.missing(("text", 1), "a")) == [TextDelta("a")]


def test_a_blank_line_stands_between_thoughts() -> None:
    several = Parts()
    first, nothing, second = "a thought of many letters", "", "another"
    found = [
        event
        for number, text in enumerate((first, nothing, second))
        for event in several.thought(("summary", 0, number), text)
    ]
    assert found == [ReasoningDelta(first), ReasoningDelta(f"\n\n{second}")]


@pytest.mark.parametrize(
    ("look", "value", "seen"),
    [
        (json_values.text_at, None, ""), (json_values.text_at, "a", "a"), (json_values.name_at, 7, "7"),
        (json_values.name_at, "", None), (json_values.index_at, "12", 12), (json_values.index_at, 3.0, 3),
        (json_values.object_at, None, {}), (json_values.objects_at, {"a": 1}, [{"a": 1}]),
        (json_values.objects_at, [None, {}], [{}]), (json_values.objects_at, None, []),
        (json_values.count_at, True, None), (json_values.count_at, "7", 7), (json_values.count_at, "x", None),
        (json_values.count_at, -1, None), (json_values.count_at, 2.0, 2),
        (json_values.cost_at, "1", None), (json_values.cost_at, 0.5, 0.5), (json_values.cost_at, 1e300, None),
    ],
)  # fmt: skip
def test_what_can_be_read_without_guessing_is_read(look: Any, value: Any, seen: Any) -> None:
    assert look({"key": value}, "key") == seen


@pytest.mark.parametrize(
    ("look", "value"),
    [
        (json_values.text_at, 1), (json_values.name_at, True), (json_values.name_at, []), (json_values.index_at, -1),
        (json_values.index_at, "x"), (json_values.index_at, 1.5), (json_values.index_at, True),
        (json_values.object_at, []), (json_values.objects_at, 5), (json_values.objects_at, "x"),
        (json_values.objects_at, [1]), (json_values.objects_at, False),
    ],
)  # fmt: skip
def test_everything_else_is_not_of_the_dialect(look: Any, value: Any) -> None:
    with pytest.raises(BadMessage, match='"key"'):
        look({"key": value}, "key")


def test_arguments_that_come_as_a_value_are_text_that_every_reader_takes() -> None:
    value = {"a": [float("nan"), 1.5, "ü"], "b": float("inf")}
    assert json.loads(json_values.arguments_text(value)) == {"a": [None, 1.5, "ü"], "b": None}
    assert json_values.arguments_text(None) == "" and json_values.arguments_text("{") == "{"


def chat(delta: Any, *, whole: bool = False, **choice: Any) -> list[Any]:
    """Return what the chat dialect's reader makes of a choice."""
    document = {"choices": [{"index": 0, "message" if whole else "delta": delta, **choice}]}
    return list(ChatReader().read(WireMessage("message", json.dumps(document))))


def test_shapes_of_a_chat_answer_that_servers_send() -> None:
    assert chat("only text") == [TextDelta("only text")] and chat(None) == []
    assert chat({"content": "a"}, whole=True) == [TextDelta("a")]
    [first, second] = chat(
        {"tool_calls": {"0": {"function": {"name": "f"}}, "1": {"function": {"name": "g"}}}}
    )
    assert (first.name, second.name) == ("f", "g")
    [only] = chat({"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]})
    assert (only.name, only.arguments) == ("f", '{"a": 1}')
    notices = chat({"audio": {"data": "x"}, "images": [1], "content": "a"})
    assert sum("left out" in getattr(one, "text", "") + str(one) for one in notices) == 2


def test_a_choice_of_the_older_dialect_or_with_an_error_of_its_own_is_told() -> None:
    with pytest.raises(BadMessage, match="openai-completions"):
        list(ChatReader().read(WireMessage("message", '{"choices": [{"index": 0, "text": "a"}], "id": 1}')))
    with pytest.raises(ProviderError, match="upstream"):
        chat({}, finish_reason="error", error={"message": "upstream died"})
