"""Locations of our files: configuration, models, history, cache.

platformdirs knows each operating system's conventions but takes 2 ms to import: it is imported on first
use, and not at all for the paths that every run on Linux needs.  A path that isn't absolute is never used:
without HOME and an entry in the user database, or with a relative XDG variable, platformdirs returns
a path below the current folder, from which nothing may be read unless the user names it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from llmstream.errors import ConfigError

APPLICATION: Final = "llmstream"
FILE_NAME: Final = "config.toml"


def config_file() -> Path | None:
    """Return the path of the user's configuration file, existing or not; None if there is no home folder."""
    folder = _xdg("XDG_CONFIG_HOME", ".config") or _asked("config")
    return folder / FILE_NAME if folder else None


def data_folder() -> Path:
    """Return the folder for models and the history; without a home folder, one in the temporary folder."""
    return _xdg("XDG_DATA_HOME", ".local/share") or _asked("data") or _everybodys()


def models_folder() -> Path:
    """Return the folder for the weights of local models."""
    return data_folder() / "models"


def cache_folder() -> Path:
    """Return the folder for data that can be fetched again: lists of models; fallback as `data_folder`."""
    return _asked("cache") or _everybodys()


def _xdg(variable: str, usual: str) -> Path | None:
    """Return what platformdirs would return on Linux, to avoid its import; a test compares the two."""
    home = os.environ.get("HOME", "")
    if sys.platform != "linux" or not home.startswith("/") or "ANDROID_ROOT" in os.environ:
        return None
    chosen = os.environ.get(variable, "").strip()
    # the XDG specification says to ignore relative paths
    return Path(chosen if chosen.startswith("/") else f"{home}/{usual}") / APPLICATION


def _asked(kind: Literal["config", "data", "cache"]) -> Path | None:
    import platformdirs

    ask = {
        "config": platformdirs.user_config_path,
        "data": platformdirs.user_data_path,
        "cache": platformdirs.user_cache_path,
    }[kind]
    try:
        folder = ask(APPLICATION, appauthor=False)
    except RuntimeError:
        # newer versions raise where older ones return a path below the current folder
        return None
    return folder if folder.is_absolute() else None


def _everybodys() -> Path:
    import tempfile

    # one per user, because the temporary folder is shared; `private_folder` checks the owner
    return Path(tempfile.gettempdir()) / f"{APPLICATION}-{_user()}"


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


def present(path: Path) -> bool:
    """Return whether a file is there; one in a folder that this user may not search counts as absent."""
    return not why_absent(path)


def why_absent(path: Path) -> str:
    """Return why a file can't be found: "not found" or the system's words; empty if it is there."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return "not found"
    except OSError as error:
        return error.strerror or "not found"
    return ""


def private_folder(folder: Path) -> Path:
    """Create `folder` and any missing parents, accessible to the user alone, and return it.

    Raises:
        ConfigError: it can't be created, or another user owns it.
    """
    try:
        for missing in reversed([p for p in (folder, *folder.parents) if not p.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
        owner = folder.stat().st_uid
    except OSError as error:
        raise ConfigError(f"can't create the folder {folder}: {error.strerror}") from error
    if hasattr(os, "geteuid") and owner not in (_user(), 0):
        raise ConfigError(f"the folder {folder} belongs to another user (id {owner})")
    return folder


def write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a file that only the user can read, atomically.

    Args:
        path: the file; missing folders are created.
        text: its content, written as UTF-8.
        replace: whether an existing file may be replaced.

    Raises:
        ConfigError: the file exists and may not be replaced, it is a symbolic link, or the system
            refuses.
    """
    private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.is_symlink():
            raise ConfigError(f"{path} is a symbolic link", hint=f"edit its target instead: {path.resolve()}")
        if path.exists() and not replace:
            raise ConfigError(f"{path} already exists")
        _write(fresh, text)
        if replace:
            fresh.replace(path)
        else:
            # unlike a rename, a link fails when another process was faster
            os.link(fresh, path)
    except OSError as error:
        raise ConfigError(f"can't write {path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            fresh.unlink()


def _write(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
