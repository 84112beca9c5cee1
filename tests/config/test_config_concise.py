"""The concise form of a schema, as people type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.config.concise import TYPES, concise_schema
from llmstream.errors import UsageError

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)


def test_fields_have_names_types_and_meanings() -> None:
    assert concise_schema("name, age int, tags [str]: what it is") == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}, "description": "what it is"},
        },
        "required": ["name", "age", "tags"],
        "additionalProperties": False,
    }


def test_with_a_field_a_line_a_meaning_may_hold_commas() -> None:
    made = concise_schema("\n  name: first, then last\n  scores [ float ]\n  good bool\n")
    assert made["properties"] == {
        "name": {"type": "string", "description": "first, then last"},
        "scores": {"type": "array", "items": {"type": "number"}},
        "good": {"type": "boolean"},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a field is empty"), ("a,,b", "a field is empty"), ("a, a int", "two fields named"), ("age itn", 'did you mean "int"'),
        ("two words here", "is not a field"), ("1st", "is not a field"), ("a {b}", "is not a field"),
        ("tags [strr]", 'did you mean "str"'),
    ],
)  # fmt: skip
def test_a_form_that_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        concise_schema(text)


@given(st.dictionaries(NAMES, st.sampled_from(sorted(TYPES)), min_size=1, max_size=8), st.booleans())
def test_every_field_is_there_once_with_its_type(fields: dict[str, str], lines: bool) -> None:
    text = ("\n" if lines else ", ").join(f"{name} {kind}" for name, kind in fields.items())
    made = concise_schema(text)
    assert made["required"] == list(fields)
    assert made["properties"] == {name: {"type": TYPES[kind]} for name, kind in fields.items()}


@given(st.text(max_size=40))
def test_any_text_is_a_schema_or_a_usage_error(text: str) -> None:
    try:
        assert concise_schema(text)["required"]
    except UsageError as error:
        assert error.message.startswith("--schema")
