"""What a value of the configuration may be: the check and the JSON Schema beside it agree."""

from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.config.file import kinds
from llmstream.config.file.table import LIMITS, PROVIDER, TIMEOUT, TOP, Key

KEYS: dict[str, Key] = {**PROVIDER, **TIMEOUT, **LIMITS, **TOP}
PLAIN = st.none() | st.booleans() | st.integers(-3, 10**12) | st.floats(-1, 1e13)
LIKELY = st.sampled_from(
    ["", " ", "m1", "a.b:C", "https://h/v1", "http://h/v1/models", "http://me@h", "socks5://h:1", "http://[", "~/x",
     "/x", "C:\\x", "openai-chat", "openai", "no_usage", "two\nlines", "k\x9b", "schlüssel", "KEY"]
)  # fmt: skip
VALUES = st.recursive(
    PLAIN | LIKELY | st.text(max_size=4), lambda inner: st.lists(inner, max_size=2), max_leaves=3
)


@given(st.sampled_from(sorted(KEYS)), VALUES)
def test_what_is_taken_is_taken_by_the_schema_too(name: str, value: Any) -> None:
    complaint = KEYS[name].kind(value)
    if complaint is None:
        jsonschema.validate(value, KEYS[name].schema)
    else:
        assert complaint.split()[0] in ("must", "is", "contains", "names")


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (kinds.text, 1), (kinds.text, ""), (kinds.text, "a\nb"),
        (kinds.key_text, 1), (kinds.key_text, " "), (kinds.key_text, "a\x7fb"), (kinds.key_text, "ä"),
        (kinds.variables, []), (kinds.variables, ["A B"]), (kinds.variables, 1),
        (kinds.command, []), (kinds.command, ["", "x"]), (kinds.command, [1]), (kinds.command, "pass"),
        (kinds.url, 1), (kinds.url, "http://me:pw@h"), (kinds.url, "http://h/?q"), (kinds.url, "http://h:p"),
        (kinds.url, "ftp://h"), (kinds.url, "http:///v1"), (kinds.url, "http://a b"),
        (kinds.base_url, "http://h/v1/chat/completions/"),
        (kinds.flag, 1), (kinds.count, True), (kinds.count, -1), (kinds.count, 1.0),
        (kinds.seconds, "1"), (kinds.seconds, -1), (kinds.seconds, float("inf")),
        (kinds.rate, "1"), (kinds.rate, -1), (kinds.folder, "here"), (kinds.folder, ""),
        (kinds.factory, "module"), (kinds.factory, 1), (kinds.factory, "a:1"),
        (kinds.adapter, 1), (kinds.adapter, "openai-chta"), (kinds.adapter, "?"), (kinds.dialect, "x"),
        (kinds.preset, 1), (kinds.preset, "opnai"), (kinds.quirks, "x"), (kinds.quirks, ["no_usgae"]),
        (kinds.header, 1), (kinds.header, "a\r\nb"), (kinds.header, "ä"),
        (kinds.json, float("nan")), (kinds.json, {"a": [date(2026, 1, 1)]}),
    ],
)  # fmt: skip
def test_what_is_no_such_value_is_complained_of(kind: kinds.Complaint, wrong: Any) -> None:
    assert kind(wrong)


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        (kinds.variables, ""), (kinds.variables, ["A", "B_2"]), (kinds.command, ["pass", ""]),
        (kinds.proxy, "socks5h://me:pw@h:1"), (kinds.base_url, "https://h/openai/v1/"), (kinds.seconds, 0.5),
        (kinds.rate, 0), (kinds.folder, "~/plugins"), (kinds.folder, "C:\\plugins"), (kinds.factory, "a.b:C.d"),
        (kinds.adapter, "anthropic"), (kinds.preset, "openai"), (kinds.quirks, []), (kinds.header, "x y"),
        (kinds.json, {"a": [1, True, {"b": "c"}]}),
    ],
)  # fmt: skip
def test_what_is_one_is_taken(kind: kinds.Complaint, right: Any) -> None:
    assert kind(right) is None


@pytest.mark.parametrize("value", ["sk-secret\x00", "sk-secretä"])
def test_a_complaint_shows_no_key(value: str) -> None:
    assert "secret" not in str(kinds.key_text(value))
    assert "secret" not in str(kinds.variables(value))
