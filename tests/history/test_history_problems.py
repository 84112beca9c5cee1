"""What a history's user is told when it can't be opened, written or read, and what then still works."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
from pathlib import Path

import pytest

from history.made import run
from llmstream.errors import HistoryError
from llmstream.history import opening, running
from llmstream.history.conversations import age, last, messages, named
from llmstream.history.kept import MessageData, digest
from llmstream.history.schema import STEPS
from llmstream.history.search import PAGE, search
from llmstream.history.store import Store, keep
from llmstream.prompt import Json


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the history is to be."""
    return tmp_path / "history.db"


def reading(path: Path) -> Store:
    """Return an open history that is there."""
    store = Store.reading(path)
    assert store is not None
    return store


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)
    with pytest.raises(HistoryError, match="too long"):
        keep(path, run())


def test_a_history_cannot_be_made_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="No such file"):
        opening.make(tmp_path / "nowhere" / "history.db")


def test_another_users_history_is_left_alone(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    keep(path, run())
    os.chown(path, 12345, -1)
    with pytest.raises(HistoryError, match="another user"):
        Store.reading(path)


def test_of_two_that_make_the_history_one_does(path: Path) -> None:
    assert opening.make(path)
    assert not opening.make(path)
    assert [file.name for file in path.parent.iterdir()] == ["history.db"]


def test_a_name_that_means_something_in_an_address_is_a_file_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "50% of #1?mode=memory.db"
    kept = keep(path, run("one"))
    with reading(path) as store:
        assert store.newest(1) == [kept]


def test_a_later_version_in_the_log_alone_is_recognised(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(path, run())
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    other.execute("SELECT 1 FROM runs").fetchone()
    try:
        with pytest.raises(HistoryError, match="later version"):
            Store.reading(path)
    finally:
        other.close()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database is locked", "locked"),
        ("database or disk is full", "space"),
        ("attempt to write a readonly database", "read-only"),
        ("database disk image is malformed", "damaged"),
        ("disk I/O error", "disk I/O error"),
    ],
)
def test_what_sqlite_says_is_told_in_our_words(path: Path, said: str, told: str) -> None:
    error = opening.explained(sqlite3.OperationalError(said), path)
    assert told in error.message
    assert str(path) in error.message


def test_an_io_error_on_a_full_disk_is_told_as_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(opening, "_ROOM", 1 << 62)
    error = opening.explained(sqlite3.OperationalError("disk I/O error"), path)
    assert "no disk space" in error.message and "free some space" in error.hint


def test_a_change_that_fails_half_way_changes_nothing(path: Path) -> None:
    kept = keep(path, run("one"))

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM runs")
        connection.execute("nonsense")

    store = Store.writing(path)
    assert store is not None
    with store:
        with pytest.raises(HistoryError, match="nonsense"):
            store.change(work)
        assert store.newest(-1) == [kept]
        with pytest.raises(HistoryError):
            store.query("more nonsense")


def test_a_history_that_is_read_is_not_written(path: Path) -> None:
    keep(path, run("one"))
    with reading(path) as store, pytest.raises(HistoryError, match="read-only"):
        store.take_back(1)


def test_a_transaction_that_was_broken_off_is_undone(path: Path) -> None:
    keep(path, run("one"))
    connection = opening.opened(path, writing=True)
    opening.begin(connection)
    connection.execute("DELETE FROM runs")
    opening.leave(connection, path)
    with reading(path) as store:
        assert len(store.newest(-1)) == 1


def test_a_session_that_two_runs_begin_at_once_is_one_conversation(path: Path) -> None:
    first, second = (keep(path, run(word, session="blue")) for word in ("one", "two"))
    assert first.conversation == second.conversation


def test_no_turns_are_asked_for_and_removed_ones_are_left_out(path: Path) -> None:
    kept = keep(path, run("one"))
    with reading(path) as store:
        assert store.turns([]) == []
        assert [turn.row for turn in store.turns([99, kept.row])] == [kept.row]
        assert store.runs([kept.row]) == [kept]


def test_a_search_for_signs_looks_into_every_page_and_stops_when_it_has_enough(path: Path) -> None:
    opening.make(path)
    store = Store.writing(path)
    assert store is not None
    with store:
        for number in range(4):
            store.keep(run(f"number {number} in C++ and 日本語"))
        store.keep(run("only C"))
        assert [one.prompt[:8] for one in search(store, "c++ number", 2)] == ["number 3", "number 2"]
        assert len(search(store, "C++")) == len(search(store, "本")) == 4
        assert search(store, "++ 日 nothing") == []
        assert search(store, " \0 ") == []
        assert len(search(store, "only")) == 1
    assert PAGE > 4


def test_there_is_no_last_conversation_without_a_history(path: Path) -> None:
    assert last(path) is None
    assert named(path, "blue") is None


def test_a_conversation_whose_runs_all_failed_goes_on_without_turns(path: Path) -> None:
    failed = keep(path, run("one", "", status="failed", session="blue"))
    found = last(path)
    assert found is not None
    assert (found.id, found.session, found.turns) == (failed.conversation, "blue", ())
    again = named(path, "blue")
    assert again is not None
    assert (again.id, again.turns) == (failed.conversation, ())
    for one in (found, again):
        assert (one.provider, one.model, one.system) == (failed.provider, failed.model, failed.system)
        assert "without an answer yet" in one.described()
    assert named(path, "red") is None


def test_a_chat_that_goes_on_is_not_the_last_conversation(path: Path) -> None:
    kept = keep(path, run("over"))
    keep(path, run("going on", chat="chat-1"))
    descriptor = running.hold(path.parent, "chat-1")
    assert descriptor is not None
    found = last(path)
    assert found is not None
    assert found.id == kept.conversation
    running.release(path.parent, "chat-1", descriptor)
    found = last(path)
    assert found is not None
    assert '"going on"' in found.described()


@pytest.mark.parametrize(("seconds", "said"), [(5, "5 s"), (130, "2 min"), (7300, "2 h"), (200_000, "2 d")])
def test_an_age_is_told_in_its_largest_unit(seconds: int, said: str) -> None:
    assert age(int((time.time() - seconds) * 1000)) == said


def attached(place: str | None, data: bytes) -> MessageData:
    """Return a message with a file, as the history keeps it."""
    file: Json = {
        "media_type": "image/png",
        "name": "dot.png",
        "url": None,
        "place": place,
        "size": len(data),
        "sha256": digest(data),
    }
    return {"role": "user", "content": "look", "attachments": [file]}


def test_an_attached_file_is_sent_again_when_it_is_the_same_else_named(path: Path) -> None:
    file = path.with_name("dot.png")
    file.write_bytes(b"same")
    gone = str(path.with_name("gone.png"))
    for place, data in ((str(file), b"same"), (str(file), b"other"), (gone, b"x"), (None, b"x")):
        keep(path, run("look", new=(attached(place, data),)))
    with reading(path) as store:
        made = messages(store.turns([1, 2, 3, 4]), lambda place: Path(place).read_bytes())
    asked = made[::2]
    assert [one.data for one in asked[0].attachments] == [b"same"]
    assert asked[0].content == "look"
    for message in asked[1:]:
        assert message.attachments == ()
        assert message.content.startswith("look\n\n[dot.png: image/png, ")


def test_where_no_mark_can_be_made_a_chat_goes_on_without_one(tmp_path: Path) -> None:
    tmp_path.joinpath("chats").write_text("a file in the folder's place", "utf-8")
    assert running.hold(tmp_path, "chat-1") is None
    assert running.going_on(tmp_path) == []


def test_a_mark_that_is_a_link_is_no_chat(tmp_path: Path) -> None:
    folder = tmp_path / "chats"
    folder.mkdir()
    folder.joinpath("link").symlink_to(tmp_path / "nowhere")
    assert running.going_on(tmp_path) == []


def test_a_mark_that_was_taken_for_a_dead_chats_is_made_again(tmp_path: Path) -> None:
    import fcntl

    mark = tmp_path / "chats" / "chat-1"
    mark.parent.mkdir()
    looking = os.open(mark, os.O_RDWR | os.O_CREAT)
    fcntl.flock(looking, fcntl.LOCK_EX)
    held: list[int | None] = []
    holding = threading.Thread(target=lambda: held.append(running.hold(tmp_path, "chat-1")))
    holding.start()
    waits = f"-> FLOCK  ADVISORY  WRITE {os.getpid()} "
    while sys.platform == "linux" and waits not in Path("/proc/locks").read_text("ascii"):
        assert holding.is_alive()
    mark.unlink()
    os.close(looking)
    holding.join()
    assert running.going_on(tmp_path) == ["chat-1"]
    assert held[0] is not None
    running.release(tmp_path, "chat-1", held[0])
