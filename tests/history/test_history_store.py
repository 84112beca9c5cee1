"""The history's file: what is kept comes back, what is wrong with it is recognised, nothing is destroyed."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from history.made import run
from llmstream.errors import HistoryError, UsageError
from llmstream.history import opening, removal, running
from llmstream.history.kept import MessageData, Run, messages_data
from llmstream.history.schema import STEPS
from llmstream.history.search import search
from llmstream.history.store import Store, keep
from llmstream.prompt import Attachment, Message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the history is to be."""
    return tmp_path / "history.db"


def reading(path: Path) -> Store:
    """Return an open history that is there."""
    store = Store.reading(path)
    assert store is not None
    return store


def prompts(runs: list[Run]) -> list[str]:
    """Return what was asked."""
    return [one.prompt for one in runs]


def test_a_run_comes_back_as_it_was_kept(path: Path) -> None:
    image = Attachment("image/png", b"\x89PNG", name="q.png", place="/tmp/q.png")
    made = run(
        "look\u2028 \0 here",
        "text \x1b[31m 🙂\r\n",
        session="s",
        system="be brief",
        new=messages_data([Message("user", "look\u2028 \0 here", (image,))]),
        reasoning="hm",
        details={"usage": {"input_tokens": 3}, "options": {"temperature": 0.5}, "finish_reason": "stop"},
    )
    kept = keep(path, made)
    assert kept.row == 1
    with reading(path) as store:
        assert store.newest(-1) == [kept]
        shown = store.exported(kept)
    assert shown["id"] == made.id and shown["status"] == "complete" and shown["error"] is None
    assert shown["messages"] == [
        {"role": "system", "content": "be brief"},
        {
            "role": "user",
            "content": "look\u2028 \0 here",
            "attachments": [
                {
                    "media_type": "image/png",
                    "name": "q.png",
                    "url": None,
                    "place": "/tmp/q.png",
                    "size": 4,
                    "sha256": "0f4636c78f65d3639ece5a064b5ae753e3408614a14fb18ab4d7540d2c248543",
                }
            ],
        },
    ]


@given(st.text(), st.text(), st.text())
@settings(max_examples=25, deadline=None)
def test_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, prompt: str, text: str, name: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "history.db"
    keep(path, run(prompt, text, session=name))
    with reading(path) as store:
        (found,) = store.newest(-1)
    whole = [
        one.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for one in (prompt, text, name)
    ]
    assert [found.prompt, found.text, found.session] == whole


def test_earlier_turns_stand_in_the_file_once_and_are_shown_with_each_run(path: Path) -> None:
    first = keep(path, run("one", "1"))
    second = keep(path, run("two", "2", earlier=(first.row,), conversation=first.conversation))
    with reading(path) as store:
        shown = store.exported(second)
        columns = store.query("SELECT prompt, messages FROM runs WHERE row = ?", (second.row,))
    assert columns == [("two", None)]
    messages = shown["messages"]
    assert isinstance(messages, list)
    assert [(m["role"], m["content"]) for m in messages if isinstance(m, dict)] == [
        ("user", "one"),
        ("assistant", "1"),
        ("user", "two"),
    ]


def test_files_are_the_users_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        keep(path, run())
        loose = path.with_name("loose.db")
        opening.make(loose)
        loose.chmod(0o644)
        keep(loose, run())
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def newer(path: Path) -> None:
    """Make the history one of a later version."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    connection.close()


def others(path: Path) -> None:
    """Put another program's database in the history's place."""
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE runs (id)")
    connection.close()


def garbage(path: Path) -> None:
    """Put something else in the history's place."""
    path.write_bytes(b"not a database" * 100)


def torn(path: Path) -> None:
    """Damage all pages behind the header."""
    data = bytearray(path.read_bytes())
    data[100:] = bytes(i * 37 & 255 for i in range(100, len(data)))
    path.write_bytes(data)


def cut(path: Path) -> None:
    """Cut off the last pages."""
    path.write_bytes(path.read_bytes()[: 2 * 4096])


def emptied(path: Path) -> None:
    """Empty the file."""
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [newer, others, garbage, torn, cut, emptied])
def test_a_file_that_is_damaged_newer_or_not_ours_is_never_written(path: Path, spoil: object) -> None:
    subprocess.run([sys.executable, "-c", KEEP, str(path), "earlier"], check=True)
    _flushed(path)
    assert callable(spoil)
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(HistoryError) as raised:
        keep(path, run())
    assert str(path) in raised.value.message
    with pytest.raises(HistoryError), reading(path) as store:
        store.newest(-1)
    assert path.read_bytes() == before


def _flushed(path: Path) -> None:
    """Move the log into the file."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def test_a_symbolic_link_or_a_folder_in_its_place_is_refused(path: Path) -> None:
    elsewhere = path.with_name("elsewhere.db")
    path.symlink_to(elsewhere)
    with pytest.raises(HistoryError, match="symbolic link"):
        keep(path, run())
    assert not elsewhere.exists()
    path.unlink()
    path.mkdir()
    with pytest.raises(HistoryError, match="not a file"):
        keep(path, run())


def test_a_short_lock_is_waited_for_and_a_long_one_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(path, run())
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2, lambda: other.execute("ROLLBACK")).start()
    kept = keep(path, run())
    assert kept.row == 2
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(opening, "PATIENCE", 0.1)
    with pytest.raises(HistoryError, match="locked"):
        keep(path, run())
    other.execute("ROLLBACK")
    other.close()


def test_the_tables_are_brought_to_a_later_version_in_one_step(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(path, run("old"))
    later = (*STEPS, "ALTER TABLE runs ADD COLUMN rating INTEGER;\n")
    monkeypatch.setattr(opening, "STEPS", later)
    store = Store.writing(path)
    assert store is not None
    with store:
        assert store.query("SELECT prompt, rating FROM runs") == [("old", None)]
        assert store.query("PRAGMA user_version") == [(len(later),)]


def test_a_step_that_fails_leaves_the_older_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(path, run("old"))
    monkeypatch.setattr(opening, "STEPS", (*STEPS, "CREATE TABLE more (a);\nCREATE TABLE runs (a);\n"))
    with pytest.raises(HistoryError):
        Store.writing(path)
    monkeypatch.undo()
    with reading(path) as store:
        assert store.query("PRAGMA user_version") == [(len(STEPS),)]
        assert store.query("SELECT name FROM sqlite_master WHERE name = 'more'") == []


KEEP = """
import sys, os
from pathlib import Path
sys.path.insert(0, os.getcwd() + "/tests")
from history.made import run
from llmstream.history.store import keep
for word in sys.argv[2:]:
    keep(Path(sys.argv[1]), run(word, "answer to " + word))
os._exit(0)
"""
"""A process that keeps runs and ends as the command does, without closing anything."""


def test_processes_that_make_the_history_at_once_lose_nothing(path: Path) -> None:
    words = [[f"w{i}-{j}" for j in range(4)] for i in range(5)]
    children = [subprocess.Popen([sys.executable, "-c", KEEP, str(path), *some]) for some in words]
    assert [child.wait() for child in children] == [0] * 5
    with reading(path) as store:
        assert sorted(prompts(store.newest(-1))) == sorted(word for some in words for word in some)
        assert store.query("PRAGMA integrity_check") == [("ok",)]
    assert [f.name for f in path.parent.iterdir()] == ["history.db"]


def test_killed_at_any_moment_it_opens_with_all_that_was_kept(path: Path) -> None:
    told = path.with_name("told")
    code = KEEP.replace(
        "keep(Path(sys.argv[1]), run(word, ", "done(keep, Path(sys.argv[1]), run(word, "
    ).replace(
        "for word",
        "def done(keep, path, one):\n    keep(path, one)\n    print(one.prompt, flush=True)\nfor word",
        1,
    )
    words = [f"w{i}" for i in range(4000)]
    for delay in (0.0, 0.003, 0.008):
        with told.open("ab") as output:
            child = subprocess.Popen([sys.executable, "-c", code, str(path), *words], stdout=output)
            size = told.stat().st_size
            while told.stat().st_size == size:
                assert child.poll() is None
            time.sleep(delay)  # a moment to be killed at, not one that is waited for
            child.kill()
            child.wait()
    finished = told.read_text().split()
    with reading(path) as store:
        kept = prompts(store.newest(-1))
        assert store.query("PRAGMA integrity_check") == [("ok",)]
    assert len(finished) <= len(kept) <= len(finished) + 3
    assert not set(finished) - set(kept)


def test_a_long_log_goes_into_the_file(path: Path) -> None:
    keep(path, run("small"))
    with reading(path):
        keep(path, run("big", "x" * (opening.LONGEST_LOG + 1)))
        assert path.with_name("history.db-wal").stat().st_size == 0
    assert path.stat().st_size > opening.LONGEST_LOG


def test_ids_are_found_by_a_beginning_that_only_one_has(path: Path) -> None:
    first, second = (keep(path, run(word)) for word in ("one", "two"))
    common = first.id[: next(i for i in range(36) if first.id[i] != second.id[i])]
    with reading(path) as store:
        assert store.beginning(second.id[: len(common) + 1].upper()) == second
        for wrong in (common, "", "%", "_", "g", "' OR 1=1 --", first.id + "0"):
            with pytest.raises(UsageError):
                store.beginning(wrong)


WORDS = st.sampled_from(
    ["alpha", "Beta", "naïve", "C++", "a*", '"q"', "NEAR", "日本", "🙂", "a.b", "x_y", "100%"]
)


@given(st.lists(st.lists(WORDS, max_size=4), max_size=6), st.lists(WORDS, min_size=1, max_size=2))
@settings(max_examples=25, deadline=None)
def test_search_finds_the_texts_that_have_all_words(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], wanted: list[str]
) -> None:
    path = tmp_path_factory.mktemp("search") / "history.db"
    opening.make(path)
    for some in texts:
        keep(path, run(" ".join(some), ""))
    with reading(path) as store:
        runs = search(store, " ".join(wanted).swapcase())
        assert search(store, " ".join(wanted).swapcase(), 2) == runs[:2]
        found = prompts(runs)
    assert sorted(found) == sorted(" ".join(some) for some in texts if set(wanted) <= set(some))


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_no_search_text_is_an_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "one.db"
    if not path.exists():
        keep(path, run("quiet text"))
    with reading(path) as store:
        search(store, text)


def test_what_is_removed_is_in_no_file_any_more(path: Path) -> None:
    kept = [keep(path, run(f"secretword{i} asked", f"secretanswer{i}")) for i in range(5)]
    follow = keep(path, run("follows", earlier=(kept[0].row,)))
    subprocess.run(
        [sys.executable, "-c", REMOVE, str(path), *map(str, [kept[0].row, kept[4].row])], check=True
    )
    left = b"".join(file.read_bytes() for file in path.parent.iterdir())
    for gone in (0, 4):
        assert f"secretword{gone}".encode() not in left and f"secretanswer{gone}".encode() not in left
    assert b"secretword1" in left
    with reading(path) as store:
        assert prompts(store.newest(-1))[1:] == [
            "secretword3 asked",
            "secretword2 asked",
            "secretword1 asked",
        ]
        assert search(store, "secretword0") == []
        messages = store.exported(follow)["messages"]
        assert isinstance(messages, list) and len(messages) == 1


REMOVE = """
import sys
from pathlib import Path
from llmstream.history.store import Store
from llmstream.history.removal import remove
with Store.writing(Path(sys.argv[1])) as store:
    assert remove(store, [int(row) for row in sys.argv[2:]])
"""


def test_pruning_chooses_by_age_and_by_number(path: Path) -> None:
    ages = [time.time_ns() // 1_000_000 - days * 86_400_000 for days in (100, 50, 1)]
    kept = [keep(path, run(f"{at}", time=at)) for at in ages]
    with reading(path) as store:
        assert removal.older(store, ages[0] + 1) == [kept[0].row]
        assert removal.beyond(store, 1) == [kept[1].row, kept[0].row]
        assert prompts(list(store.since(ages[1]))) == [kept[1].prompt, kept[2].prompt]


def test_a_chat_is_going_on_until_its_process_ends(tmp_path: Path) -> None:
    descriptor = running.hold(tmp_path, "chat-1")
    assert descriptor is not None
    assert running.going_on(tmp_path) == ["chat-1"]
    running.release(tmp_path, "chat-1", descriptor)
    assert running.going_on(tmp_path) == []
    code = (
        "import sys, os, signal; from pathlib import Path; from llmstream.history import running\n"
        "running.hold(Path(sys.argv[1]), 'killed'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / "chats" / "killed").exists()
    assert running.going_on(tmp_path) == []
    assert not (tmp_path / "chats" / "killed").exists()


def test_message_data_is_plain_json() -> None:
    data: tuple[MessageData, ...] = messages_data([Message("user", "x")])
    assert data == ({"role": "user", "content": "x"},)
