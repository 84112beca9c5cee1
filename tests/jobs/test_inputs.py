"""From a row to a question: what it says, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.test_keys import asker, key
from llmstream.jobs.inputs import Ask, Common
from llmstream.jobs.places import Places
from llmstream.jobs.rows import BadRow, Row, row_of
from llmstream.jobs.sources import Source
from llmstream.jobs.work import Work
from llmstream.prompt import Attachment

TURNS = [
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "b"},
    {"role": "user", "content": "c"},
]
PICTURE = Attachment("image/png", b"picture")


def ask(line: object, common: Common | None = None) -> Ask:
    """Return the question in a line: text as it is, anything else as JSON."""
    data = line if isinstance(line, str) else json.dumps(line)
    row = row_of(data.encode(), 3)
    assert isinstance(row, Row)
    return asker(common=common).ask(row)


def said(line: object, common: Common | None = None) -> list[tuple[str, str]]:
    return [(one.role, one.content) for one in ask(line, common).prompt.messages]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ({"id": True, "prompt": "x"}, "id must be text or a number"),
        ({"id": ["a"], "prompt": "x"}, "id must be text or a number"),
        ('{"id": 1e999, "prompt": "x"}', "id is too large a number"),
        ({"prompt": 5}, "prompt must be text"),
        ({"prompt": "x", "model": 5}, "model must be text"),
        ({"prompt": "x", "options": "hot"}, "options must be an object"),
        ({"prompt": "x", "options": {"temperature": "hot"}}, "option temperature must be a number"),
        ('{"prompt": "x", "options": {"schema": {"maximum": 1e999}}}', "malformed"),
        ({"prompt": "x", "messages": TURNS}, 'both "prompt" and "messages"'),
        ({"text": "x"}, 'neither "prompt" nor "messages"'),
        ({"prompt": " \t"}, "the prompt is empty"),
        ({"messages": []}, "a list of objects with role and content"),
        ({"messages": "hello"}, "a list of objects with role and content"),
        ({"messages": [{"role": "user", "content": " "}]}, "the prompt is empty"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_number(line: object, wrong: str) -> None:
    with pytest.raises(BadRow, match=r"^line 3: ") as raised:
        ask(line)
    assert wrong in raised.value.message


def test_a_wrong_line_goes_by_its_id_where_it_has_one() -> None:
    with pytest.raises(BadRow) as raised:
        ask({"id": "mine", "prompt": ""})
    assert raised.value.name == "mine"
    with pytest.raises(BadRow) as raised:
        ask({"prompt": ""})
    assert raised.value.name == "3"


@pytest.mark.parametrize(
    ("template", "line", "prompt"),
    [
        ("Say {line}!", "sun", "Say sun!"),
        ("Define:", "sun", "Define:\n\nsun"),
        ("Define {word}.", {"word": "sun"}, "Define sun."),
        ("Define:", {"prompt": "sun"}, "Define:\n\nsun"),
    ],
)
def test_the_commands_prompt_is_filled_or_stands_before_the_line(
    template: str, line: object, prompt: str
) -> None:
    assert said(line, Common(Places(template))) == [("user", prompt)]


def test_the_commands_prompt_comes_before_the_last_question_of_a_conversation() -> None:
    before_last = said({"messages": TURNS}, Common(Places("Be brief.")))
    assert before_last == [("user", "a"), ("assistant", "b"), ("user", "Be brief.\n\nc")]
    filled = said({"messages": TURNS[:2], "word": "sun"}, Common(Places("And {word}?")))
    assert filled == [("user", "a"), ("assistant", "b"), ("user", "And sun?")]


def test_a_field_that_a_line_lacks_is_named() -> None:
    with pytest.raises(BadRow, match='no field "word"') as raised:
        ask({"prompt": "x"}, Common(Places("Define {word}.")))
    assert raised.value.hint == "its fields: prompt"
    with pytest.raises(BadRow, match="neither") as raised:
        ask({"name": "x", "age": 3})
    assert "its fields: name, age" in raised.value.hint and "{name}" in raised.value.hint
    with pytest.raises(BadRow, match='no field "word"'):
        ask("bare", Common(Places("Define {word}.")))


def test_nothing_can_be_put_into_a_conversation_without_a_question() -> None:
    silent = {"messages": [{"role": "system", "content": "s"}]}
    for common in (Common(Places("Be brief.")), Common(attachments=(PICTURE,))):
        with pytest.raises(BadRow, match="no user message"):
            ask(silent, common)


def test_files_go_with_the_last_question() -> None:
    messages = ask({"messages": TURNS}, Common(attachments=(PICTURE,))).prompt.messages
    assert [len(one.attachments) for one in messages] == [0, 0, 1]


def test_a_lines_own_system_prompt_goes_first() -> None:
    common = Common(system="common")
    assert said({"prompt": "x"}, common)[0] == ("system", "common")
    assert said({"prompt": "x", "system": "own"}, common)[0] == ("system", "own")
    assert said({"prompt": "x", "system": ""}, common) == [("user", "x")]
    own = {"messages": [{"role": "system", "content": "own"}, *TURNS]}
    assert said(own, common)[0] == ("system", "own")


def test_everything_that_is_asked_counts_for_the_key() -> None:
    def with_message(**more: object) -> str:
        return key(json.dumps({"messages": [{"role": "user", "content": "x", **more}]}).encode())

    call = {"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}
    picture = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": "http://nowhere/1.png"}]
    other = [picture[0], {"type": "image_url", "image_url": "http://nowhere/2.png"}]
    keys = [
        with_message(),
        with_message(name="ann"),
        with_message(name="bob"),
        with_message(tool_call_id="c"),
        with_message(tool_calls=[call]),
        with_message(tool_calls=[{**call, "id": "d"}]),
        with_message(content=picture),
        with_message(content=other),
    ]
    assert len(set(keys)) == len(keys)
    assert with_message(tool_calls=[dict(reversed(call.items()))]) == with_message(tool_calls=[call])


def test_half_a_character_has_a_key_too() -> None:
    half, whole = key(b'{"prompt": "x\\ud83d"}'), key(b'{"prompt": "x\\ud83d\\ude00"}')
    assert half == key('{"prompt": "x\ufffd"}'.encode())
    assert half != whole


def test_an_input_that_changed_after_it_was_checked_is_refused_at_its_wrong_line(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"prompt": "one"}\n')
    with Source(str(path)) as source:
        work = Work(source, asker(), ordered=True)
        work.look()
        path.write_text('{"prompt": \n')
        with pytest.raises(BadRow):
            work.note_order()
