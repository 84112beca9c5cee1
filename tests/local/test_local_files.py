"""Where a model's file goes: folders and files that the system refuses, and a system without locks."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from llmstream.errors import LocalModelError
from llmstream.local import files, lock
from llmstream.local.server import require
from local_model import need_llama


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(LocalModelError, match=r"can't create the folder .*models") as caught:
        files.private_folder(tmp_path / "file" / "models")
    assert sys.platform != "linux" or "XDG_DATA_HOME" in caught.value.hint


@pytest.mark.parametrize("length", [245, 252])
def test_a_name_that_the_system_refuses_leaves_nothing(tmp_path: Path, length: int) -> None:
    with (
        pytest.raises(LocalModelError, match="can't write to"),
        files.work_folder(tmp_path, "m" * length, print),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_where_there_are_no_locks_nobody_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "POSSIBLE", False)
    with files.work_folder(tmp_path, "m", print) as first, files.work_folder(tmp_path, "m", print) as second:
        assert first != second
    assert list(tmp_path.iterdir()) == []


def test_room_is_asked_for_where_the_system_knows_of_it(tmp_path: Path) -> None:
    files.need_room(tmp_path, 1)
    files.need_room(tmp_path / "not there", 1 << 60)
    with pytest.raises(LocalModelError, match="no room"):
        files.need_room(tmp_path, 1 << 60)


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "no room"), (errno.EACCES, "can't write to")])
def test_a_full_disk_and_a_refusal_are_told_apart(tmp_path: Path, number: int, said: str) -> None:
    assert said in files.disk_error(OSError(number, os.strerror(number)), tmp_path, 5).message


@pytest.mark.skipif(sys.platform != "linux", reason="a file that can't be read by anybody")
def test_a_file_that_can_not_be_read_is_said_to_be() -> None:
    with pytest.raises(LocalModelError, match="can't read"):
        files.check_gguf(Path("/proc/self/mem"))


@pytest.mark.parametrize("variables", [{}, {"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "active"}])
def test_how_threads_wait_is_the_users_choice_and_not_left_to_other_programs(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    need_llama()
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert require().__name__ == "xllamacpp"
    assert os.environ.get("GOMP_SPINCOUNT") == variables.get("GOMP_SPINCOUNT")
