"""Parsing one message's JSON."""

from __future__ import annotations

import pytest

from llmstream.errors import BadMessage
from llmstream.wire.document import parse, parse_object

REFUSED = [
    ("", "not JSON"),
    ("   ", "not JSON"),
    ('{"a":NaN}', "NaN"),
    ("-Infinity", "-Infinity is not JSON"),
    ('{"a":1}{"b":2}', "more text after the value, at character 7"),
    ('{"a":', "not JSON"),
    ("\ufeff{}", "not JSON"),
    ("\u00a0{}", "not JSON"),
    ('{"a":' + "9" * 5000 + "}", "not JSON"),
    ("[" * 100_000, "not JSON"),
    ('{"a":' * 100_000, "nested too deep"),
]


@pytest.mark.parametrize("padding", ["", " ", "\n\t\r "])
def test_white_space_around_an_object_is_fine(padding: str) -> None:
    assert parse_object(f'{padding}{{"a": [1, null]}}{padding}') == {"a": [1, None]}


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_is_not_json_is_a_bad_message(text: str, reason: str) -> None:
    parsers = (parse,) if "NaN" in text or "Infinity" in text else (parse, parse_object)
    for parser in parsers:
        with pytest.raises(BadMessage) as caught:
            parser(text)
        assert reason in caught.value.message
        assert len(caught.value.message) < 250


@pytest.mark.parametrize("text", ["[1]", '"a"', "1", "null", "true", " [] "])
def test_json_that_is_no_object_is_a_value_but_a_bad_message(text: str) -> None:
    assert not isinstance(parse(text), dict)
    with pytest.raises(BadMessage, match="is not a JSON object"):
        parse_object(text)


def test_excerpt_shows_no_control_characters() -> None:
    with pytest.raises(BadMessage) as caught:
        parse("\x1b]0;title\x07\u202e\nnonsense")
    assert caught.value.message.isprintable()
