"""FILE: whole lines, one writer, and what a crash leaves is mended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.full_disk import full_after
from llmstream.engine.meter import Completion
from llmstream.errors import RequestRefused, UsageError
from llmstream.jobs import results
from llmstream.jobs.answers import encoded, line_of
from llmstream.jobs.ledger import Ledger
from llmstream.jobs.locks import lock
from llmstream.jobs.results import FileError, ResultFile


def line(id_: str | int, key: int = 1, text: str = "t", *, failed: bool = False) -> bytes:
    error = RequestRefused("no", status=400) if failed else None
    return encoded(line_of(id_, key, Completion(text, provider="p", model="m"), error))


def ids(path: Path) -> list[object]:
    return [json.loads(one)["id"] for one in path.read_bytes().splitlines()]


@pytest.mark.parametrize("cut", range(1, len(line("b")), 7))
def test_a_torn_last_line_is_cut_off_wherever_it_was_torn(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "out"
    path.write_bytes(line("a") + line("b")[:-cut])
    ledger = Ledger(repeatable=True)
    ledger.add("a", 1)
    ledger.add("b", 1)
    file = ResultFile(str(path))
    answered = file.read(ledger)
    file.close()
    # all but the LF: nothing is missing of it
    assert answered == (2 if cut == 1 else 1)
    assert ids(path) == (["a", "b"] if cut == 1 else ["a"])
    assert path.read_bytes().endswith(b"\n")


def test_the_zeros_that_a_power_failure_leaves_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(line("a") + b"\0" * 300)
    file = ResultFile(str(path))
    file.read(Ledger(repeatable=True))
    file.close()
    assert path.read_bytes() == line("a")


@pytest.mark.parametrize(
    "data",
    [
        b"Dear diary",
        b"Dear diary,\n",
        b'{"name": "Ada"}\n',
        b'{"name": "Ada"}',
        b"[1]",
        line("a") + b"mine\n" + line("b"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "out"
    path.write_bytes(data)
    file = ResultFile(str(path))
    with pytest.raises(UsageError, match="out"):
        file.read(Ledger(repeatable=True))
    file.close()
    assert path.read_bytes() == data


def test_a_second_run_is_kept_out_and_the_lock_goes_with_the_process(tmp_path: Path) -> None:
    path = tmp_path / "out"
    code = (
        "import sys\nfrom llmstream.jobs.results import ResultFile\n"
        "file = ResultFile(sys.argv[1])\nprint('locked', flush=True)\nsys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "locked\n"
    with pytest.raises(UsageError, match="another run"):
        ResultFile(str(path))
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    ResultFile(str(path)).close()


def test_a_file_that_takes_the_name_is_locked_before_and_after(tmp_path: Path) -> None:
    path = tmp_path / "out"
    file = ResultFile(str(path))
    file.append(line("a"))
    file.replace([line("b")])
    with pytest.raises(UsageError, match="another run"):
        ResultFile(str(path))
    file.append(line("c"))
    file.close()
    assert ids(path) == ["b", "c"]
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    file = ResultFile(str(tmp_path / "link"))
    file.append(line("a"))
    file.replace([line("b")])
    file.close()
    assert (tmp_path / "link").is_symlink()
    assert ids(tmp_path / "real") == ["b"]


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "out"
    file = ResultFile(str(path))
    with full_after(1000), pytest.raises(FileError, match="out") as raised:
        while True:
            file.append(line("a"))
    file.close()
    assert "free some space" in raised.value.hint
    assert len(ids(path)) == 1000 // len(line("a"))


def test_a_disk_that_is_full_when_lines_are_put_in_order_leaves_them_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "out"
    file = ResultFile(str(path))
    file.append(line("a"))
    with full_after(10), pytest.raises(FileError, match="can't rewrite"):
        file.replace([line("b")])
    file.append(line("c"))
    file.close()
    assert ids(path) == ["a", "c"]
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("name", "why"), [("none/out", "No such file"), (".", "directory"), ("pipe", "regular")]
)
def test_a_file_that_can_not_be_written_is_named(name: str, why: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=why) as raised:
        ResultFile(str(tmp_path / name))
    assert str(tmp_path / name) in raised.value.message


def renewed(path: Path) -> None:
    path.with_name("new").write_bytes(line("new"))
    path.with_name("new").replace(path)


@pytest.mark.parametrize(("meanwhile", "left"), [(renewed, ["new", "mine"]), (Path.unlink, ["mine"])])
def test_a_file_whose_name_goes_to_another_before_it_is_locked_is_let_go(
    meanwhile: Callable[[Path], None], left: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out"
    path.write_bytes(line("old"))
    calls = iter([meanwhile])

    def late(fd: int) -> bool:
        for call in calls:
            call(path)
        return lock(fd)

    monkeypatch.setattr(results, "lock", late)
    file = ResultFile(str(path))
    file.append(line("mine"))
    file.close()
    assert ids(path) == left


def test_beginning_anew_forgets_what_there_was(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"anything")
    file = ResultFile(str(path), fresh=True)
    file.append(line("a"))
    file.close()
    assert ids(path) == ["a"]


def test_what_a_killed_run_had_begun_to_put_in_order_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".out.llmstream-new").write_bytes(line("half"))
    ResultFile(str(tmp_path / "out")).close()
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[int, int], list[tuple[int, int, bool]], list[tuple[int, bool]]]:
    """An input (id -> key), FILE's lines (id, key, failed), and this run's outcomes (id, failed)."""
    number = st.integers(0, 5)
    wanted = draw(st.dictionaries(number, st.integers(1, 2), min_size=1))
    old = draw(st.lists(st.tuples(number, st.integers(1, 2), st.booleans()), max_size=8))
    new = draw(st.lists(st.tuples(st.sampled_from(sorted(wanted)), st.booleans()), max_size=6))
    return wanted, old, new


@pytest.mark.parametrize("repeatable", [True, False])
@settings(max_examples=60, deadline=None)
@given(history=histories())
def test_after_a_whole_run_each_prompt_is_there_once_and_no_answer_is_lost(
    repeatable: bool,
    history: tuple[dict[int, int], list[tuple[int, int, bool]], list[tuple[int, bool]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    wanted, old, outcomes = history
    path = tmp_path_factory.mktemp("history") / "out"
    path.write_bytes(b"".join(line(id_, key, failed=failed) for id_, key, failed in old))
    ledger = Ledger(repeatable=repeatable)
    if repeatable:
        for id_, key in wanted.items():
            assert ledger.add(id_, key)
    file = ResultFile(str(path))
    file.read(ledger)
    failing = dict(outcomes)
    asked = []
    for id_, key in wanted.items():
        if ledger.take(id_, key):
            asked.append(id_)
            file.append(line(id_, key, "new", failed=failing.get(id_, False)))
    if ledger.untidy:
        file.tidy(ledger)
    file.close()
    answered = {(id_, key) for id_, key, failed in old if not failed}
    if repeatable:
        assert asked == [id_ for id_, key in wanted.items() if (id_, key) not in answered]
    found = [json.loads(one) for one in path.read_bytes().splitlines()]
    for id_, key in wanted.items():
        of_it = [one for one in found if one["id"] == id_]
        assert len(of_it) == 1
        assert int(of_it[0]["key"], 16) == key
        assert (of_it[0]["error"] is not None) == (id_ in asked and failing.get(id_, False))


def test_what_was_not_come_to_stays_for_a_run_that_asks_as_before(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(line("a", 1) + line("b", 1) + line("c", 1, failed=True))
    ledger = Ledger(repeatable=True)
    for id_ in "abc":
        ledger.add(id_, 2)
    file = ResultFile(str(path))
    file.read(ledger)
    assert ledger.take("a", 2)
    file.append(line("a", 2))
    file.tidy(ledger)
    file.close()
    assert ids(path) == ["b", "c", "a"]


def test_nothing_is_written_anew_when_the_new_file_can_not_be_made(tmp_path: Path) -> None:
    path = tmp_path / "out"
    file = ResultFile(str(path))
    file.append(line("a"))
    (tmp_path / ".out.llmstream-new").mkdir()
    with pytest.raises(FileError, match="out"):
        file.replace([line("b")])
    file.close()
    assert ids(path) == ["a"]


@settings(deadline=None)
@given(st.text(), st.text(), st.integers(0, 2**128 - 1))
def test_a_line_is_json_in_one_line_whatever_the_text(id_: str, text: str, key: int) -> None:
    data = encoded(line_of(id_, key, Completion(text, provider=text, model="m"), None))
    assert data.count(b"\n") == 1
    assert not any(byte < 0x20 or byte == 0x7F for byte in data[:-1])
    found = json.loads(data)
    clean = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if clean == text:
        assert found["text"] == text
    assert int(found["key"], 16) == key


def test_a_file_that_can_neither_be_written_nor_shortened_is_named(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(line("a"))
    file = ResultFile(str(path))
    os.close(file.fd)
    # as of a file system that has become read-only
    file.fd = os.open(path, os.O_RDONLY)
    with pytest.raises(FileError, match="can't shorten"):
        file.append(line("b"))
    file.close()
    assert path.read_bytes() == line("a")
