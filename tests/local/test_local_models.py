"""Local models by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fakes.full_disk import full_after
from llmstream.errors import ConfigError, LocalModelError, MissingExtra, UsageError
from llmstream.local.models import ensure, file_name, installed, pull, started
from llmstream.local.settings import LocalSettings
from local.file_server import FileServer, Served
from local.wheels import wheel_in
from local_model import model_path, models_folder, need_llama

MODEL = b"GGUF" + b"weights" * 1000


def silent(_: str) -> None:
    pass


def unseen(done: int, total: int | None) -> None:
    pass


def get(source: str | Path, folder: Path) -> Path:
    return pull(str(source), folder, say=silent, progress=unseen)


def test_file_of_the_user_is_linked_not_copied(tmp_path: Path) -> None:
    own = tmp_path / "My Model.gguf"
    own.write_bytes(MODEL)
    path = get(own, tmp_path / "models")
    assert path == tmp_path / "models" / "My-Model.gguf"
    assert path.samefile(own)
    assert get(own, tmp_path / "models") == path
    assert [(m.name, m.size) for m in installed(tmp_path / "models")] == [("My-Model", len(MODEL))]
    assert [found.name for found in (tmp_path / "models").iterdir()] == ["My-Model.gguf"]


def test_what_is_no_model_is_not_taken_in(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"text that is no model at all")
    with pytest.raises(LocalModelError, match="not a GGUF"):
        get(tmp_path / "a.gguf", tmp_path / "models")
    with pytest.raises(LocalModelError, match="is a directory, not a model file"):
        get(tmp_path, tmp_path / "models")
    with pytest.raises(UsageError, match="not a known model name") as raised:
        get("smolm2", tmp_path / "models")
    assert "smollm2" in raised.value.hint
    assert installed(tmp_path / "models") == []


def test_download_is_named_after_its_address(server: FileServer, tmp_path: Path) -> None:
    server.files["/x/Tiny%20One.gguf"] = Served(MODEL)
    assert get(server.url + "/x/Tiny%20One.gguf?download=true", tmp_path).name == "Tiny-One.gguf"
    assert ensure("Tiny-One", tmp_path, say=silent, progress=unseen).read_bytes() == MODEL


@pytest.mark.parametrize(
    ("name", "harmless"),
    [("a.gguf", "a.gguf"), ("a.GGUF", "a.gguf"), (".hidden", "hidden.gguf"), ("../..", None), ("", None)],
)
def test_file_names_are_made_harmless(name: str, harmless: str | None) -> None:
    if harmless is None:
        with pytest.raises(UsageError):
            file_name(name)
    else:
        assert file_name(name) == harmless


def test_unknown_name_gets_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "llama-3.gguf").write_bytes(MODEL)
    (tmp_path / ".part.gguf").write_bytes(MODEL)
    with pytest.raises(ConfigError, match='did you mean "llama-3"') as raised:
        ensure("lama-3", tmp_path, say=silent, progress=unseen)
    assert "llama-3, smollm2;" in raised.value.hint
    assert "llmstream pull" in raised.value.hint


def test_path_of_a_file_is_a_name_too(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(MODEL)
    assert ensure(str(own), tmp_path / "models", say=silent, progress=unseen) == own
    with pytest.raises(LocalModelError, match="file not found"):
        ensure(f"{tmp_path}{os.sep}none.gguf", tmp_path / "models", say=silent, progress=unseen)


def test_missing_extra_is_said_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingExtra):
        started("smollm2", LocalSettings(folder=tmp_path / "models"))
    assert not (tmp_path / "models").exists()


def test_built_in_model_is_found_and_started() -> None:
    need_llama()
    assert ensure("smollm2", models_folder(), say=silent, progress=unseen) == model_path()
    address, key = started("", LocalSettings(folder=models_folder()))
    assert address.startswith("http://127.0.0.1:") and address.endswith("/v1")
    assert key.reveal() not in repr(key)


def test_where_files_can_not_be_linked_they_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    own = tmp_path / "own.gguf"
    own.write_bytes(MODEL)
    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(os, "symlink", refused)
    with full_after(100), pytest.raises(LocalModelError, match="no room for the model"):
        get(own, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []
    path = get(own, tmp_path / "models")
    assert path.read_bytes() == MODEL
    assert not path.samefile(own)


def test_a_wheel_of_something_else_is_not_taken_in(tmp_path: Path) -> None:
    wheel_in(tmp_path / "index", MODEL)
    with pytest.raises(LocalModelError, match="does not contain the model"):
        get(next((tmp_path / "index").iterdir()), tmp_path / "models")
    assert installed(tmp_path / "models") == []
