"""INPUT: what can be read, what can't, and that every wrong line is found before anything is sent."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.test_keys import asker
from llmstream.errors import MissingExtra, UsageError
from llmstream.jobs.ledger import Ledger
from llmstream.jobs.rows import BadRow, Row, rows_of_csv
from llmstream.jobs.sources import MOST_WRONG, Check, Source, check


def checked(path: Path, ledger: Ledger | None = None) -> Check:
    with Source(str(path)) as source:
        return check(source.rows(), asker(), ledger or Ledger(repeatable=True))


def piped(data: bytes, name: str = "in.csv") -> Source:
    """Return a source that reads a pipe which holds some data and has ended."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return opened(reading, name)


def opened(descriptor: int, name: str) -> Source:
    source = Source.__new__(Source)
    source.fd, source.name, source.is_csv, source.repeatable = descriptor, name, name.endswith(".csv"), False
    return source


@pytest.mark.parametrize(("name", "why"), [("none.jsonl", "No such file"), (".", "it is a directory")])
def test_what_can_not_be_read_is_named(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=why) as raised:
        Source(str(tmp_path / name))
    assert str(tmp_path / name) in raised.value.message


@pytest.mark.skipif(sys.platform != "linux", reason="reads this process's memory, whose first page is none")
def test_a_file_that_fails_while_it_is_read_is_named() -> None:
    with Source("/proc/self/mem") as source, pytest.raises(UsageError, match="can't read /proc/self/mem"):
        list(source.rows())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no terminals of this kind")
def test_a_stream_that_breaks_is_named() -> None:
    ours, theirs = os.openpty()
    os.close(theirs)
    with opened(ours, "terminal") as source, pytest.raises(UsageError, match="can't read terminal"):
        list(source.pieces())


def test_a_csv_file_that_comes_through_a_pipe_is_read_record_by_record() -> None:
    with piped(b'id,prompt\n1,"two\nlines"\n\n2,one\n') as source:
        pieces = list(source.pieces())
    rows = [(row.number, row.fields) for piece in pieces for row in piece if isinstance(row, Row)]
    assert rows == [(2, {"id": "1", "prompt": "two\nlines"}), (5, {"id": "2", "prompt": "one"})]
    assert [len(piece) for piece in pieces] == [1, 1]


def test_blank_lines_of_a_pipe_are_counted_and_ask_nothing() -> None:
    with piped(b"\n" * 20_000 + b"x\n", "lines") as source:
        rows = [row for piece in source.pieces() for row in piece]
    assert [row.number for row in rows] == [20_001]


def test_closing_twice_closes_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("x")
    source = Source(str(tmp_path / "in"))
    source.close()
    other = os.open(tmp_path / "in", os.O_RDONLY)
    source.close()
    assert os.read(other, 1) == b"x"
    os.close(other)


def test_an_input_is_told_from_other_files(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("x")
    os.link(tmp_path / "in", tmp_path / "same")
    with Source(str(tmp_path / "in")) as source:
        assert source.same_as(str(tmp_path / "same"))
        assert not source.same_as(str(tmp_path / "none"))


def test_the_first_reading_counts_prompts_models_and_tokens(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("x" * 40 + "\n\n" + "y" * 80 + "\n")
    found = checked(tmp_path / "in")
    assert (found.prompts, found.models, found.tokens) == (2, {"openai/gpt-5-mini": 2}, 32)


def test_the_first_wrong_line_is_told_and_how_many_there_are(tmp_path: Path) -> None:
    (tmp_path / "in").write_text('good\n{"id": 1, "prompt": ""}\n{broken\nfine\n{"id": "1", "prompt": "x"}\n')
    with pytest.raises(BadRow, match=r"^line 2: the prompt is empty") as raised:
        checked(tmp_path / "in")
    assert raised.value.hint == "3 lines can't be used; this is the first"


def test_one_wrong_line_needs_no_count(tmp_path: Path) -> None:
    (tmp_path / "in").write_text('{"id": 7, "prompt": "x"}\n{"id": 7, "prompt": "y"}\n')
    with pytest.raises(BadRow, match=r"^line 2: the id 7 occurs twice") as raised:
        checked(tmp_path / "in")
    assert not raised.value.hint


def test_a_file_of_something_else_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("{\n" * (MOST_WRONG + 5))
    with pytest.raises(BadRow) as raised:
        checked(tmp_path / "in")
    assert raised.value.hint.startswith(f"at least {MOST_WRONG} lines")


@pytest.mark.parametrize(
    ("header", "said"),
    [(b'id,"open\n', "the header is not valid CSV"), (b"id,caf\xe9\n", "not UTF-8 text"), (b"", "")],
)
def test_a_csv_header_that_can_not_be_read_ends_it(header: bytes, said: str) -> None:
    rows = list(rows_of_csv(iter([header, b"1,2\n"] if header else [])))
    assert [row.reason.partition(":")[0].partition(" (")[0] for row in rows if isinstance(row, BadRow)] == (
        [said] if said else []
    )


def test_empty_cells_of_a_csv_record_are_as_if_they_were_not_there() -> None:
    (row,) = rows_of_csv([b"\xef\xbb\xbfid,prompt,model,options\n", b",x,,\n"])
    assert isinstance(row, Row)
    assert row.fields == {"prompt": "x"}


def without_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)


def with_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")


@pytest.mark.parametrize(
    ("surroundings", "url", "error", "said"),
    [
        (without_fsspec, "file:///in.csv", MissingExtra, "needs the extra ray"),
        (with_fsspec, "file:///no/such/in.csv", UsageError, "can't read file:///no/such/in.csv"),
        (with_fsspec, "nothing-known://in.csv", UsageError, "can't read nothing-known://in.csv"),
    ],
)
def test_an_address_that_can_not_be_read_is_named(
    surroundings: Callable[[pytest.MonkeyPatch], None],
    url: str,
    error: type[UsageError],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surroundings(monkeypatch)
    with pytest.raises(error, match=said):
        Source.at(url)
