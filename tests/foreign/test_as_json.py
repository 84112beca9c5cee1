"""Any value of a chain's steps becomes JSON that every reader takes, and says what the value says."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.foreign.as_json import DEPTH, as_json, object_of, text_of

messages = pytest.importorskip("langchain_core.messages")
documents = pytest.importorskip("langchain_core.documents")


class Odd:
    """Only its repr can be read."""

    def __repr__(self) -> str:
        return "<odd>"

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Mute(Odd):
    """Not even that."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
ODD = [
    Odd(),
    Mute(),
    Odd,
    float("nan"),
    float("-inf"),
    10**5000,
    b"\x00\xff",
    {1, 2},
    ValueError("told"),
    as_json,
]
STRANGE = st.integers(0, len(ODD) - 1).map(lambda n: ODD[n])


@given(PLAIN)
def test_what_is_json_stays_as_it_is(value: Any) -> None:
    assert as_json(value) == value


@given(
    st.recursive(
        PLAIN | STRANGE,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.tuples(inner, inner)
            | st.dictionaries(
                st.text() | st.integers() | st.none() | st.tuples(st.integers()), inner, max_size=3
            )
        ),
        max_leaves=12,
    )
)
def test_every_value_becomes_json_that_strict_readers_take(value: Any) -> None:
    text = json.dumps(as_json(value), allow_nan=False)
    assert as_json(json.loads(text)) == json.loads(text)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ((1, "a"), [1, "a"]),
        ({7: "seven", None: 1, ("t", 1): 2}, {"7": "seven", "None": 1, "('t', 1)": 2}),
        (datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.UTC), "2024-05-06 07:08:09+00:00"),
        (float("nan"), "nan"),
        (2**70, str(2**70)),
        (ValueError("told"), "told"),
        (Odd(), "<odd>"),
        (Mute(), "<Mute>"),
    ],
)
def test_what_is_no_json_is_its_text(value: object, found: object) -> None:
    assert as_json(value) == found


def test_messages_and_documents_are_serialised_as_langchain_does() -> None:
    from langchain_core.load import dumpd

    for value in (
        messages.AIMessageChunk(content="x", tool_call_chunks=[]),
        messages.HumanMessage("hi"),
        documents.Document(page_content="p", metadata={"n": 1}),
    ):
        assert as_json({"value": [value]}) == {"value": [dumpd(value)]}


def test_odd_values_within_a_message_leave_it_readable() -> None:
    found = as_json(messages.AIMessage(content="said", additional_kwargs={"odd": float("nan"), "set": {1}}))
    assert isinstance(found, dict)
    assert found["lc"] == 1
    assert "said" in json.dumps(found, allow_nan=False)


def test_a_loop_ends_where_it_begins_again() -> None:
    around: dict[str, object] = {"name": "loop"}
    around["self"] = [around]
    assert as_json(around) == {"name": "loop", "self": ["..."]}
    twice = {"a": 1}
    assert as_json([twice, twice]) == [twice, twice]


@pytest.mark.parametrize("levels", [DEPTH + 1, 300, 100_000])
def test_what_lies_too_deep_is_text(levels: int) -> None:
    deep: object = "bottom"
    for _ in range(levels):
        deep = [deep]
    text = json.dumps(as_json(deep))
    assert text.startswith("[" * DEPTH)
    assert levels > 1000 or "bottom" in text


def test_metadata_that_is_no_mapping_is_empty() -> None:
    assert object_of(None) == object_of([1]) == {}
    assert text_of("\ud800") == "\ud800"
