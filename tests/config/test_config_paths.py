"""Our files' places and how they are written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from llmstream.config import paths
from llmstream.errors import ConfigError

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")


@pytest.mark.parametrize("xdg", [None, "/elsewhere", "", "  "])
def test_the_shortcut_says_what_platformdirs_says(monkeypatch: pytest.MonkeyPatch, xdg: str | None) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    if xdg is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", xdg)
    assert paths.config_file() == platformdirs.user_config_path("llmstream", appauthor=False) / "config.toml"


def test_a_relative_place_is_never_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for folder in (paths.data_folder(), paths.models_folder(), paths.cache_folder()):
        assert folder.is_absolute()
        assert not folder.is_relative_to(tmp_path / "here")
    assert paths.config_file() == tmp_path / "home/.config/llmstream/config.toml"


@posix
def test_a_user_without_a_home_has_places_and_no_configuration() -> None:
    code = (
        "import os, pwd\n"
        "def nobody(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = nobody\n"
        "from llmstream.config import paths\n"
        "assert paths.config_file() is None\n"
        "for place in (paths.models_folder, paths.cache_folder):\n"
        "    assert place().is_absolute()\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "HOME" and not k.startswith("XDG_")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@posix
def test_a_private_file_is_written_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    paths.write_private(path, "one\n")
    before = path.stat().st_ino
    paths.write_private(path, "two\n")
    assert path.read_bytes() == b"two\n"
    assert path.stat().st_ino != before
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@posix
def test_a_private_file_follows_no_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "link"
    link.symlink_to(victim)
    with pytest.raises(ConfigError, match="is a symbolic link"):
        paths.write_private(link, "x")
    assert victim.read_text() == "precious"


@posix
def test_a_planted_half_written_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f".file.{os.getpid()}").symlink_to(victim)
    with pytest.raises(ConfigError, match="can't write"):
        paths.write_private(tmp_path / "file", "x")
    assert victim.read_text() == "precious"


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="can't create the folder"):
        paths.write_private(tmp_path / "file" / "below" / "x", "x")


@posix
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away"
)
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    with pytest.raises(ConfigError, match="belongs to another user"):
        paths.private_folder(folder)


def test_nothing_heavy_is_imported_to_resolve_a_model(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[providers.work]\nadapter = "openai-chat"\nbase_url = "http://h/v1"\nmodel = "m"\napi_key = "k"\n'
    )
    (tmp_path / "config.toml").chmod(0o600)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from llmstream.config.settings import Settings\n"
        f"Settings.load(Path({str(tmp_path / 'config.toml')!r}), {{}}).target('work')\n"
        "heavy = {'asyncio', 'rich', 'importlib.metadata', 'platformdirs', 'difflib', 'subprocess'}\n"
        "found = heavy & set(sys.modules)\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
