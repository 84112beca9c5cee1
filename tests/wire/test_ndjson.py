"""Newline-delimited JSON, with the parser that its messages go to."""

from __future__ import annotations

import time
from typing import Any

import pytest

from llmstream.errors import BadMessage, StreamEndedEarly
from llmstream.wire.document import parse
from llmstream.wire.ndjson import NDJSONDecoder

from .loader import Vector, all_cuts, cuttings, decode, decode_until_error, expected, load, name_of


def items(reads: list[bytes]) -> list[dict[str, Any]]:
    """Return what the vectors expect: the parsed lines, and last the kind of the first error."""
    decoder = NDJSONDecoder()
    found: list[dict[str, Any]] = []
    try:
        for data in [*reads, None]:
            messages = decoder.close() if data is None else decoder.feed(data)
            for message in messages:
                value = parse(message.data)
                if not isinstance(value, dict):
                    raise BadMessage("a message of the answer is not a JSON object")
                found.append({"json": value})
    except StreamEndedEarly:
        found.append({"error": "truncated"})
    except BadMessage as error:
        kinds = {"is not JSON (": "json", "is not a JSON object": "type", "is larger than": "size"}
        found.append({"error": next(kind for words, kind in kinds.items() if words in error.message)})
    return found


@pytest.mark.parametrize("vector", load("ndjson"), ids=name_of)
def test_vector_gives_the_same_items_however_it_is_cut(vector: Vector) -> None:
    wanted = expected(vector)
    began = time.monotonic()
    for count, reads in enumerate(cuttings(vector), 1):
        found = items(reads)
        if vector["name"] == "deep" and "json" in found[0]:
            continue  # newer Pythons take 5,000 levels, and can't compare them
        assert found == wanted
        if "max_seconds" in vector:
            assert time.monotonic() - began < vector["max_seconds"] * count


def test_line_is_given_with_the_read_that_ends_it() -> None:
    decoder = NDJSONDecoder()
    assert decoder.feed(b'{"a"') == []
    assert decoder.feed(b':1}\r\n{"b":') == [("", '{"a":1}', "")]


@pytest.mark.parametrize("giant", [b"x" * 17, b"x" * 17 + b"\n", b"x" * 40 + b"\n1\n"])
def test_line_over_the_limit_is_refused_and_those_before_it_are_given(giant: bytes) -> None:
    for reads in all_cuts(b"1\n2\n" + giant):
        messages, error = decode_until_error(NDJSONDecoder(limit=16), reads)
        assert [message.data for message in messages] == ["1", "2"]
        assert error == "BadMessage: a message of the answer is larger than 16 bytes"


def test_lines_of_the_limit_are_given_though_a_read_is_larger() -> None:
    data = (b"7" * 16 + b"\n") * 5
    assert [m.data for m in decode(NDJSONDecoder(limit=16), [data])] == ["7" * 16] * 5


@pytest.mark.parametrize(("data", "lines"), [(b"1\n \t\r", ["1"]), (b"1\n 2 \r", ["1", "2"]), (b" ", [])])
def test_white_space_around_a_last_line_without_lf_is_no_part_of_it(data: bytes, lines: list[str]) -> None:
    for reads in all_cuts(data):
        assert [message.data for message in decode(NDJSONDecoder(), reads)] == lines
