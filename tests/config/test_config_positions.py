"""The place of each key in a text: what an error points at."""

from __future__ import annotations

import json
import string
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.config.file.positions import positions


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ("a = 1\nb = 2\n", ("b",), (2, 1)),
        ("[t]\n  a = 1\n", ("t", "a"), (2, 3)),
        ("[t . u]\na = 1\n", ("t", "u"), (1, 6)),
        ("t = { a = 1, b = { c = 2 } }\n", ("t", "b", "c"), (1, 20)),
        ("a.b.c = 1\n", ("a", "b", "c"), (1, 5)),
        ('"a b"."c\\u0064" = 1\n', ("a b", "cd"), (1, 7)),
        ("'k' = 1\n", ("k",), (1, 1)),
        ('# a = 1\ns = """\nb = 1\n"""\nb = 2\n', ("b",), (5, 1)),
        ('s = """x\\""" y"""\nb = 2\n', ("b",), (2, 1)),
        ("s = '''x''''\nb = 2\n", ("b",), (2, 1)),
        ('s = "a \\" # b"\nb = 2\n', ("b",), (2, 1)),
        ("l = [\n  1, # ]\n  'x',\n]\nb = 2\n", ("b",), (5, 1)),
        ("l = [{ a = 1 }, { b = 2 }]\n", ("l", "b"), (1, 19)),
        ("[[x]]\na = 1\n[[x]]\nb = 2\n", ("x", "b"), (4, 1)),
        ("a = 1\r\nb = 2\r\n", ("b",), (2, 1)),
        ("x = 'é'\ny = 1", ("y",), (2, 1)),
        ("a = 1979-05-27 07:32:00\nb = 2", ("b",), (2, 1)),
        ("a = 1 # no newline at the end", ("a",), (1, 1)),
    ],
)
def test_a_key_is_found_where_it_stands(text: str, path: tuple[str, ...], place: tuple[int, int]) -> None:
    tomllib.loads(text)
    assert positions(text)[path] == place


def test_the_first_mention_is_told() -> None:
    assert positions("[a.b]\nx = 1\n[a]\ny = 1\n")[("a",)] == (1, 2)


names = st.one_of(
    st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=5),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
)
values = st.recursive(
    st.one_of(st.integers(-9, 9), st.booleans(), st.text(st.sampled_from("ab\"'#[]{}=,.\\\n é"), max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(names, values, max_size=5), st.sampled_from(["\n", "\r\n", "\n\n# c [x] = {\n"]))
def test_every_key_of_any_document_is_found_and_stands_there(table: dict[str, object], end: str) -> None:
    text = "".join(f"{_key(name)} = {_toml(value)}{end}" for name, value in table.items())
    places = positions(text)
    lines = text.replace("\r\n", "\n").split("\n")
    assert set(places) == set(_paths((), tomllib.loads(text)))
    for path, (line, column) in places.items():
        assert lines[line - 1][column - 1 :].startswith(_key(path[-1]))


def _paths(path: tuple[str, ...], value: object) -> list[tuple[str, ...]]:
    if isinstance(value, list):
        return [p for item in value for p in _paths(path, item)]
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in [(*path, k), *_paths((*path, k), v)]]
    return []


def _key(name: str) -> str:
    bare = name and all(c.isascii() and (c.isalnum() or c in "-_") for c in name)
    return name if bare else json.dumps(name, ensure_ascii=False)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str) and "\n" in value and "'''" not in value and not value.endswith("'"):
        return "'''\n" + value + "'''"
    return json.dumps(value, ensure_ascii=False)
