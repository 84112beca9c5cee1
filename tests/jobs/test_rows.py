"""Inputs taken apart: the same rows, however the bytes come."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmstream.jobs.places import Places
from llmstream.jobs.rows import BadRow, Row, RowOrBad, rows_of_csv, rows_of_lines
from llmstream.jobs.sources import PIECE, Source


def shown(rows: list[RowOrBad]) -> list[tuple[int, object]]:
    return [(row.number, row.reason if isinstance(row, BadRow) else row.fields or row.line) for row in rows]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line)))
def test_lines_that_come_in_pieces_are_the_lines_of_the_file(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    whole = list(rows_of_lines(io.BytesIO(data)))
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    source = Source.__new__(Source)
    source.fd, source.name, source.is_csv, source.repeatable = reading, "pipe", False, False
    came = [row for piece in source.pieces() for row in piece]
    os.close(reading)
    assert shown(came) == shown(whole)


def test_a_line_longer_than_any_piece_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"x" * (PIECE * 9) + b"\nshort\n")
    with Source(str(path)) as source:
        came = [row for piece in source.pieces() for row in piece]
    assert [len(row.line) for row in came if isinstance(row, Row)] == [PIECE * 9, 5]


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=2, max_size=2
        )
    )
)
def test_csv_of_a_spreadsheet_comes_back_as_it_was(records: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *records])
    rows = list(rows_of_csv(io.BytesIO(text.getvalue().encode())))
    found = [
        [row.fields.get("a"), row.fields.get("b")] for row in rows if isinstance(row, Row) and row.fields
    ]
    assert found == [record for record in records if any(cell.strip() for cell in record)]


def test_a_csv_record_has_the_number_of_the_line_where_it_begins() -> None:
    data = b'id;prompt\r\n1;"two\r\nlines"\r\n\r\n2;one\r\n3;a;b\r\n'
    assert shown(list(rows_of_csv(io.BytesIO(data)))) == [
        (2, {"id": "1", "prompt": "two\r\nlines"}),
        (5, {"id": "2", "prompt": "one"}),
        (6, "3 cells, but the header has 2 columns"),
    ]


@pytest.mark.parametrize(
    ("data", "number", "said"),
    [
        (b'a,b\n1,"open\n', 2, "unexpected end of data"),
        (b"a,a\n1,2\n", 1, 'the header has the column "a" twice'),
        (b"a,b\n1,caf\xe9\n", 2, "not UTF-8 text"),
        (b"id,options\n1,{x\n", 2, "options is not valid JSON"),
    ],
)
def test_what_is_wrong_with_a_csv_file_is_said_with_its_line(data: bytes, number: int, said: str) -> None:
    last = list(rows_of_csv(io.BytesIO(data)))[-1]
    assert isinstance(last, BadRow)
    assert last.number == number
    assert said in last.reason


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{a} and {a-b_1}", "1 and {a}"),
        ("{{a}} {", "{a} {"),
        ('{"k": {a}}', '{"k": 1}'),
        ("{not a place} {} }", "{not a place} {} }"),
        ("{é}", "ü"),
    ],
)
def test_only_names_in_braces_are_places(text: str, filled: str) -> None:
    assert Places(text).fill({"a": 1, "a-b_1": "{a}", "é": "ü"}) == filled


@settings(deadline=None)
@given(st.text())
def test_what_is_filled_in_is_never_filled_again(value: str) -> None:
    assert Places("{a}|{b}").fill({"a": value, "b": "{a}"}) == f"{value}|{{a}}"


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_an_input_at_an_address_is_read_as_a_file_is(scheme: str, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    url = f"file://{tmp_path}/in.csv" if scheme == "file" else "memory://folder/in.csv"
    with fsspec.open(url, "wb") as file:
        file.write(b"id,prompt\n1,hello\n")
    with Source.at(url) as source:
        assert source.repeatable
        for _ in range(2):
            assert shown(list(source.rows())) == [(2, {"id": "1", "prompt": "hello"})]
