"""The key's canonical form, which is the same in every later version: these vectors never change."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmstream.errors import LLMStreamError
from llmstream.jobs.inputs import Asker, Common
from llmstream.jobs.keys import canonical, ident, key_text
from llmstream.jobs.places import Places
from llmstream.jobs.rows import BadRow, Row, row_of
from llmstream.prompt import Attachment, Endpoint, Options
from llmstream.runnable.targets import Target

TARGET = Target("openai-chat", Endpoint("openai", "gpt-5-mini", "http://nowhere/v1"))

VECTORS = [
    (
        '{"prompt": "What is a monad?"}',
        '{"messages":[{"content":"What is a monad?","role":"user"}],"model":"openai/gpt-5-mini","options":{}}',
        "224771e2b0eeac2083538b4c5793ddf0",
    ),
    (
        '{"prompt": "caf\\u00e9 \\ud83c\\udf0d", "system": "Be brief."}',
        '{"messages":[{"content":"Be brief.","role":"system"},{"content":"café 🌍","role":"user"}],"model":"openai/gpt-5-mini","options":{}}',
        "729aaceebbdd55e6be3398c1bd476c2b",
    ),
    (
        '{"prompt": "x", "options": {"temperature": 0.5, "max_tokens": 64, "stop": "END"}}',
        '{"messages":[{"content":"x","role":"user"}],"model":"openai/gpt-5-mini","options":{"max_tokens":64,"stop":["END"],"temperature":0.5}}',
        "6a309439db186a523c317f0a01d84c10",
    ),
    (
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}',
        '{"messages":[{"content":"a","role":"user"},{"content":"b","role":"assistant"},{"content":"c","role":"user"}],"model":"openai/gpt-5-mini","options":{}}',
        "d1d8ec914cd3ba5099dc730f5aaaa7d2",
    ),
    (
        '{"prompt": "x", "options": {"schema": {"type": "object"}}}',
        '{"messages":[{"content":"x","role":"user"}],"model":"openai/gpt-5-mini","options":{"schema":{"type":"object"}}}',
        "92c19af65d2de280f6d96ec45a9c4a75",
    ),
]
"""A line, its canonical form, and the first half of that form's SHA-256."""


def asker(options: Options | None = None, common: Common | None = None) -> Asker:
    target = Target(TARGET.adapter, TARGET.endpoint, options or Options())
    return Asker(lambda model: [target], common or Common())


def key(line: bytes, options: Options | None = None, common: Common | None = None) -> str:
    row = row_of(line, 1)
    assert isinstance(row, Row)
    return key_text(asker(options, common).ask(row).key)


@pytest.mark.parametrize(("line", "form", "right"), VECTORS)
def test_keys_are_those_of_the_readme(line: str, form: str, right: str) -> None:
    assert hashlib.sha256(form.encode()).hexdigest()[:32] == right
    assert key(line.encode()) == right


def test_an_attachment_counts_by_its_bytes_and_kind_and_not_by_its_name() -> None:
    def with_file(data: bytes, name: str) -> str:
        return key(b"look", common=Common(attachments=(Attachment("image/png", data, name=name),)))

    assert with_file(b"one", "a.png") == with_file(b"one", "b.png") == "8d2558d44ec9b941330ca17899d9a2f9"
    assert with_file(b"one", "a.png") != with_file(b"two", "a.png")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"plain", b'{"prompt": "plain"}'),
        (b'{"prompt": "x"}', b'{"messages": [{"role": "human", "content": "x"}]}'),
        (b'{"prompt": "x", "system": "s"}', b'{"messages": [{"role": "developer", "content": "s"},'
         b' {"role": "user", "content": "x"}]}'),
        (b'{"prompt": "x", "options": {"temperature": 1}}', b'{"prompt": "x", "options": {"temperature": 1.0}}'),
        (b'{"prompt": "x", "options": {"stop": "E"}}', b'{"prompt": "x", "options": {"stop": ["E"]}}'),
        (b'{"prompt": "x", "options": {"a": {"b": 1, "c": 2}}}', b'{"prompt": "x", "options": {"a": {"c": 2, "b": 1}}}'),
        (b'{"prompt": "\\u00e9"}', '{"id": 9, "prompt": "é"}'.encode()),
        (b'{"prompt": "x", "options": null}', b'{"prompt": "x"}'),
    ],
)  # fmt: skip
def test_the_same_question_has_one_key_however_it_is_written(one: bytes, other: bytes) -> None:
    assert key(one) == key(other)


def test_a_flag_and_a_line_that_set_the_same_option_ask_the_same() -> None:
    assert key(b'{"prompt": "x", "options": {"seed": 3}}') == key(b"x", Options(seed=3))
    assert key(b"x", common=Common(system="s")) == key(b'{"prompt": "x", "system": "s"}')
    assert key(b"x", common=Common(Places("Say {line}"))) == key(b"Say x")


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=9),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=8),
        max_size=8,
    )
)
def test_the_canonical_form_does_not_depend_on_order(value: dict[str, object]) -> None:
    assert canonical(value) == canonical(dict(reversed(value.items())))


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(BadRow):
        key(b'{"prompt": "x", "options": {"top_a": 1e400}}')
    found = row_of(b'{"prompt": "x", "options": {"top_a": NaN}}', 4)
    assert isinstance(found, LLMStreamError)


@settings(deadline=None)
@given(st.text() | st.integers(), st.text() | st.integers())
def test_ids_are_told_apart_by_value_and_type(one: str | int, other: str | int) -> None:
    same = type(one) is type(other) and one == other
    assert (ident(one) == ident(other)) is same or "\ud800" <= max(f"{one}{other}", default="") <= "\udfff"
