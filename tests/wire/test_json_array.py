"""One growing JSON array, and the counting of brackets below it."""

from __future__ import annotations

import time

import pytest

from llmstream.wire.json_array import JSONArrayDecoder
from llmstream.wire.nesting import Nesting

from .loader import all_cuts, by, decode, decode_until_error

ELEMENTS = ['{"a": [1, {}]}', '{"b": "]}\\"\\\\"}', '{"é€😀": "\\u00e9,"}', "[]", "{\n}"]


@pytest.mark.parametrize("separator", [",", " ,\r\n", "\n,\n"])
@pytest.mark.parametrize("margin", ["", "\n ", "\ufeff"])
def test_elements_are_the_same_however_the_array_is_cut(separator: str, margin: str) -> None:
    data = f"{margin}[{separator.join(ELEMENTS)} ] \n".encode()
    for reads in all_cuts(data):
        assert [message.data for message in decode(JSONArrayDecoder(), reads)] == ELEMENTS


def test_element_is_given_with_the_read_that_closes_it() -> None:
    decoder = JSONArrayDecoder()
    reads = [b'[{"a', b'":1}', b'\n,{"b":"', b'}"', b"}]"]
    assert [[m.data for m in decoder.feed(data)] for data in reads] == [
        [],
        ['{"a":1}'],
        [],
        [],
        ['{"b":"}"}'],
    ]


def test_single_object_is_taken_for_the_only_element() -> None:
    for reads in all_cuts(b' {"error": {"code": 1}}\n'):
        assert decode(JSONArrayDecoder(), reads) == [("", '{"error": {"code": 1}}', "")]


@pytest.mark.parametrize("data", [b"", b" \n", b"[]", b" [ ] "])
def test_empty_body_and_empty_array_give_nothing(data: bytes) -> None:
    for reads in all_cuts(data):
        assert decode(JSONArrayDecoder(), reads) == []


@pytest.mark.parametrize("data", [b"[", b'[{"a":1}', b'[{"a":1},', b'[{"a":1},{"b', b'{"a"'])
def test_array_without_end_ended_early(data: bytes) -> None:
    whole = ['{"a":1}'] if b"}" in data else []
    for reads in all_cuts(data):
        messages, error = decode_until_error(JSONArrayDecoder(), reads)
        assert [message.data for message in messages] == whole
        assert error.startswith("StreamEndedEarly: ")


@pytest.mark.parametrize(
    "data", [b"[{},]", b"[{}{}]", b"[,{}]", b"[{}]{}", b"[{}]]", b"[{}, 1]", b"[{}, oops"]
)
def test_what_is_no_array_of_objects_is_refused_behind_the_good_elements(data: bytes) -> None:
    for reads in all_cuts(data):
        messages, error = decode_until_error(JSONArrayDecoder(), reads)
        assert {message.data for message in messages} <= {"{}"}
        assert len(messages) == (0 if data.startswith(b"[,") else 1)
        assert error.startswith("BadMessage: the answer is not a JSON array of objects")


@pytest.mark.parametrize("data", [b"oops", b"<html>", b'"a"', b"1", b"data: {}"])
def test_body_that_begins_otherwise_is_refused_at_its_first_byte(data: bytes) -> None:
    assert decode_until_error(JSONArrayDecoder(), [data[:1]])[1].startswith("BadMessage: ")


def test_element_over_the_limit_is_refused_and_those_before_it_are_given() -> None:
    for reads in all_cuts(b'[{"a":1},{"a":12}'):
        messages, error = decode_until_error(JSONArrayDecoder(limit=7), reads)
        assert [message.data for message in messages] == ['{"a":1}']
        assert error.startswith("BadMessage: a message of the answer is larger than 7 bytes")


@pytest.mark.parametrize("unit", [b"x", b'\\"', b'","', b"[]", b"[", b'"x"', b"\\\\"])
def test_giant_element_takes_linear_time(unit: bytes) -> None:
    def seconds(size: int) -> float:
        reads = by(1024, b'[{"s":"' + unit * (size // len(unit)))
        decoder = JSONArrayDecoder()
        began = time.thread_time()
        for data in reads:
            decoder.feed(data)
        return time.thread_time() - began

    # Ten times the bytes: ten times the time when linear, a hundred when not.
    assert min(seconds(2_000_000) for _ in range(2)) < 40 * min(seconds(200_000) for _ in range(3))


def test_unfinished_string_in_one_read_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        text = '{"' + '\\"x' * size
        began = time.thread_time()
        assert Nesting().end(text) == -1
        return time.thread_time() - began

    assert min(seconds(1_000_000) for _ in range(2)) < 40 * min(seconds(100_000) for _ in range(3))


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("{}x", 2),
        ("[[]]]", 4),
        ('{"}":1}', 7),
        ('["\\"]"]', 7),
        ("[", -1),
        ('["', -1),
        ('["\\', -1),
        ("[}", 2),
    ],
)
def test_end_of_a_value_is_behind_its_last_bracket(text: str, end: int) -> None:
    assert Nesting().end(text) == end


def test_escape_at_the_end_of_a_text_reaches_over_an_empty_one() -> None:
    nesting = Nesting()
    assert [nesting.end(text) for text in ('["\\', "", '"', '"]')] == [-1, -1, -1, 2]


def test_limit_is_for_each_element_not_for_all() -> None:
    for reads in all_cuts(b'[{"a":1},{"a":2},[3]]'):
        assert len(decode(JSONArrayDecoder(limit=7), reads)) == 3
