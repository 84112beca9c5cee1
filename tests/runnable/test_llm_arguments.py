"""What `LLM` is given: what the names say is what happens, and what can't be used is named."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from llmstream import LLM, Attachment, UsageError

PNG = b"\x89PNG\r\n\x1a\n0000"


def model(**arguments: Any) -> LLM:
    return LLM("openai/m", api_key="sk-x", **arguments)


def said(llm: LLM, prompt: Any = "hi", **options: Any) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in llm.plan(prompt, options).prompt.messages]


def test_a_system_prompt_goes_before_every_prompt() -> None:
    llm = model(system="Be brief.")
    assert said(llm) == [("system", "Be brief."), ("user", "hi")]
    assert said(llm.bind(temperature=0)) == [("system", "Be brief."), ("user", "hi")]
    assert said(llm.bind(system="Be long."))[0] == ("system", "Be long.")
    assert said(llm, system="In French.")[0] == ("system", "In French.")
    own = [{"role": "system", "content": "Mine."}, {"role": "user", "content": "hi"}]
    assert said(llm, own) == [("system", "Mine."), ("user", "hi")]
    assert "system" not in llm.plan("hi", {}).options.extra


def test_files_and_attachments_go_with_the_last_question(tmp_path: Path) -> None:
    note, picture = tmp_path / "note.txt", tmp_path / "photo.png"
    note.write_text("a note\n")
    picture.write_bytes(PNG)
    llm = model(files=note, attachments=[str(picture), Attachment("audio/wav", b"...")])
    turns = [("user", "one"), ("assistant", "two"), ("user", "three")]
    messages = [{"role": role, "content": content} for role, content in turns]
    first, answer, last = llm.plan(messages, {}).prompt.messages
    assert (first.content, answer.content) == ("one", "two")
    assert last.content == f"{note}:\n```\na note\n```\n\nthree"
    assert [one.media_type for one in last.attachments] == ["image/png", "audio/wav"]


def test_a_text_with_a_wrong_byte_is_taken_with_a_warning(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes("naïve café\n".encode() * 9 + b"bad \xff byte\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert "bad \ufffd byte" in said(model(files=[log]))[0][1]
    assert "1 byte is not UTF-8" in str(caught[0].message)


def test_a_number_is_the_limit_for_the_whole_run() -> None:
    assert model(timeout=30).targets[0].policy.total == 30
    assert model(timeout={"idle": 5}).targets[0].policy.idle == 5


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"system": 5}, "system"),
        ({"files": 5}, "files"),
        ({"files": [b"x"]}, "files"),
        ({"attachments": {"a": 1}}, "attachments"),
        ({"timeout": "30"}, "timeout"),
        ({"timeout": float("nan")}, "total"),
        ({"timeout": True}, "timeout"),
        ({"max_retries": 1.5}, "max_retries"),
        ({"base_url": 5}, "base_url"),
        ({"temperature": float("nan")}, "temperature"),
        ({"min_p": float("inf")}, "min_p"),
        ({"own": {1: 2}}, "own"),
        ({"own": {"deep": [b"x"]}}, "own"),
    ],
    ids=str,
)
def test_an_argument_of_the_wrong_type_is_named(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(UsageError, match=name):
        model(**arguments)


@pytest.mark.parametrize("arguments", [{"model": 5}, {"model": "openai/m", "api_key": 5}], ids=str)
def test_names_and_keys_are_text(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="must be text, not int"):
        LLM(**arguments)


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": {"a": [1, "é"]}}}


def test_arguments_of_a_tool_call_may_be_a_dictionary() -> None:
    messages: list[Any] = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
    ]
    (call,) = model().plan(messages, {}).prompt.messages[1].tool_calls
    assert call.arguments == '{"a": [1, "é"]}'


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"role": "user"}, r"messages\[0\] \(user\): no content"),
        ({"content": "x"}, r"messages\[0\]: no role"),
        ({"role": "usr", "content": "x"}, 'did you mean "user"'),
        ({"role": "user", "contents": "x"}, 'did you mean "content"'),
        ({"role": "user", "content": 5}, r"messages\[0\]\.content must be text or a list of parts, not int"),
        ({"role": "user", "content": [5]}, r"content\[0\] must be a dictionary"),
        ({"role": "user", "content": [{"type": "text"}]}, r"content\[0\]\.text must be text, not None"),
        ({"role": "user", "content": [{"type": "image_url"}]}, r"content\[0\]\.image_url must be text"),
        ({"role": "user", "content": [{"type": "vido"}]}, "unknown type: 'vido'"),
        ({"role": "tool", "content": "x", "tool_call_id": 5}, "tool_call_id must be text"),
        ({"role": "assistant", "tool_calls": "f"}, "tool_calls must be a list"),
        ({"role": "assistant", "tool_calls": [5]}, r"tool_calls\[0\] must be a dictionary"),
        ({"role": "assistant", "tool_calls": [{"function": {}}]}, r"function\.name must be text"),
        (
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": 5}}]},
            r"function\.arguments must be a dictionary or JSON text",
        ),
        (
            {
                "role": "assistant",
                "tool_calls": [{"function": {"name": "f", "arguments": {"a": float("nan")}}}],
            },
            r"function\.arguments can't be written as JSON",
        ),
    ],
    ids=str,
)
def test_a_wrong_message_names_its_field(message: dict[str, Any], field: str) -> None:
    with pytest.raises(UsageError, match=field):
        model().plan([message], {})


@pytest.mark.parametrize("prompt", [5, None, b"hi", {"role": "user"}, [b"hi"]], ids=str)
def test_a_prompt_of_another_type_is_refused(prompt: Any) -> None:
    with pytest.raises(UsageError):
        model().plan(prompt, {})
