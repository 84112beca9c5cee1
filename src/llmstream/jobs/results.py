"""FILE, and its only writer: whole lines, one run at a time, nothing lost by a kill.

Each answer is one `write` at the end of the file, when it ends.  Only fsync is grouped, as it takes
milliseconds: a kill loses nothing, a power failure what the last half second wrote.  A torn last
line, which only a crash of the system or a full disk leaves, is cut off by the next run.

The lock is the operating system's, on the file itself, and goes with the process.  Because a new
file may take the old one's place, whoever has locked one looks whether it is still the one of that
name; a new file is locked before it gets the name.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from llmstream.errors import LLMStreamError, UsageError
from llmstream.jobs.inputs import Id
from llmstream.jobs.ledger import Ledger
from llmstream.jobs.locks import lock

SYNC_EVERY: Final = 0.5
"""Seconds between two fsyncs while answers come."""
OURS: Final = re.compile(rb'\{\s*"id"\s*:')
BEGINNING: Final = b'{"id": '
KEY: Final = re.compile(r"[0-9a-f]{32}")


class FileError(LLMStreamError):
    """FILE can't be written: the disk is full, the device is gone."""


class Line:
    """What counts of one line of FILE."""

    __slots__ = ("data", "failed", "id", "key", "offset")

    def __init__(self, id_: Id, key: int, failed: bool, offset: int, data: bytes) -> None:
        self.id = id_
        self.key = key
        self.failed = failed
        self.offset = offset
        self.data = data


def lines_of(path: Path, name: str) -> Iterator[Line]:
    """Yield a file's lines; the last one may lack its LF, and is left out when it is torn.

    Args:
        path: of the file.
        name: what messages call it.

    Raises:
        UsageError: a line is not an answer.
        OSError: it can't be read.
    """
    offset = 0
    with path.open("rb", buffering=1 << 20) as file:
        for number, data in enumerate(file, 1):
            line = _line(data, offset)
            if line is None:
                if not data.endswith(b"\n") and _torn(data):
                    return
                raise UsageError(
                    f"line {number} of {name} is not an answer of a batch; nothing was changed",
                    hint="choose another file, or remove this one (--fresh)",
                )
            yield line
            offset += len(data)


class ResultFile:
    """FILE, opened and locked.

    Args:
        path: as the user wrote it; a symbolic link is followed.
        fresh: begin anew.

    Raises:
        UsageError: another run has it, or it can't be made or written.

    `size` is how many bytes of whole lines it has.
    """

    def __init__(self, path: str, *, fresh: bool = False) -> None:
        self.name = path
        self.path = Path(os.path.realpath(path))
        self.fd = self._opened()
        self.size = os.fstat(self.fd).st_size
        self.began_at = 0
        self.unsynced = False
        # what a killed run had begun to put in order
        self._new.unlink(missing_ok=True)
        if fresh and self.size:
            self._cut(0)

    @property
    def _new(self) -> Path:
        return self.path.with_name(f".{self.path.name}.llmstream-new")

    def _opened(self) -> int:
        while True:
            try:
                fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _CLOEXEC, 0o666)
            except OSError as error:
                raise UsageError(f"can't write {self.name}: {error.strerror}") from error
            try:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise UsageError(f"{self.name} is not a regular file")
                if not lock(fd):
                    raise UsageError(
                        f"{self.name} is being written by another run",
                        hint="wait for it, or choose another file",
                    )
                if os.path.samestat(os.fstat(fd), self.path.stat()):
                    return fd
            except FileNotFoundError:
                pass
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)

    def read(self, ledger: Ledger) -> int:
        """Take what FILE has, and cut off a torn last line.

        Returns:
            How many of the input's prompts it answers, as far as that is known before they are read.

        Raises:
            UsageError: it has lines that are not answers; nothing is changed then.
        """
        answered = whole = 0
        ended = True
        for line in self.lines():
            answered += ledger.found(line.id, line.key, failed=line.failed)
            whole = line.offset + len(line.data)
            ended = line.data.endswith(b"\n")
        if whole < self.size:
            self._cut(whole)
        elif not ended:
            self.append(b"\n")
        self.began_at = self.size
        return answered

    def lines(self) -> Iterator[Line]:
        """Yield FILE's lines, as `lines_of` does."""
        return lines_of(self.path, self.name)

    def _cut(self, size: int) -> None:
        try:
            os.ftruncate(self.fd, size)
        except OSError as error:
            raise FileError(f"can't shorten {self.name}: {error.strerror}", phase="output") from error
        self.size = size

    def append(self, data: bytes) -> None:
        """Write one answer: all of it, or nothing.

        Raises:
            FileError: it could not be written; FILE ends with the line before.
        """
        done = 0
        try:
            while done < len(data):
                done += os.write(self.fd, data[done:] if done else data)
        except OSError as error:
            self._cut(self.size)
            raise FileError(
                f"can't write {self.name}: {error.strerror}",
                hint="free some space and run the same command again: it goes on from here",
                phase="output",
            ) from error
        self.size += len(data)
        self.unsynced = True

    def sync(self) -> None:
        """Have the system bring to the disk what was written."""
        self.unsynced = False
        os.fsync(self.fd)

    def tidy(self, ledger: Ledger) -> None:
        """Take out lines that others have replaced: failed ones, changed ones."""
        kept = (
            line.data
            for line in self.lines()
            if line.offset >= self.began_at or ledger.keeps(line.id, line.key, failed=line.failed)
        )
        self.replace(kept)

    def replace(self, lines: Iterable[bytes]) -> None:
        """Have FILE consist of these lines, in one step.

        Raises:
            FileError: the new file could not be written; FILE is as it was.
        """
        new = self._new
        try:
            fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | _CLOEXEC, 0o600)
            try:
                new.chmod(stat.S_IMODE(os.fstat(self.fd).st_mode))
                lock(fd)
                with os.fdopen(os.dup(fd), "wb", buffering=1 << 20) as file:
                    _copy(lines, file)
                os.fsync(fd)
                size = os.fstat(fd).st_size
                new.replace(self.path)
            except BaseException:
                os.close(fd)
                raise
        except OSError as error:
            with suppress(OSError):
                new.unlink()
            raise FileError(f"can't put {self.name} in order: {error.strerror}", phase="output") from error
        os.close(self.fd)
        self.fd, self.size = fd, size
        _sync_folder(self.path.parent)

    def close(self) -> None:
        """Sync and close; the lock goes with it."""
        try:
            if self.unsynced:
                self.sync()
        finally:
            os.close(self.fd)


_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def _copy(lines: Iterable[bytes], file: BinaryIO) -> None:
    for data in lines:
        file.write(data)


def _line(data: bytes, offset: int) -> Line | None:
    """Return one line of FILE, None when it is none of ours."""
    try:
        document = json.loads(data)
        id_, key, error = document["id"], document["key"], document["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    good = isinstance(id_, str | int | float) and isinstance(key, str) and KEY.fullmatch(key)
    return Line(id_, int(key, 16), error is not None, offset, data) if good else None


def _torn(data: bytes) -> bool:
    """Return whether bytes are the beginning of a line of ours, or the NULs that a crash leaves."""
    if not data.strip(b"\0"):
        return True
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return bool(OURS.match(data)) or BEGINNING.startswith(data)
    return False


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk; Windows has no way to."""
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
