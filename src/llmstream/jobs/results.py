"""FILE and its only writer: complete lines, one run at a time, nothing lost by a kill.

Each answer is appended by one `write` as soon as it is complete. Only fsync is grouped, because it
takes milliseconds: a kill loses nothing, a power failure at most the last half second. A torn last
line, left only by a system crash or a full disk, is cut off by the next run.

The lock is the operating system's, on the file itself, and ends with the process. Because a new file
may replace the old one, a run that has locked a file checks that it still has the name; a new file is
locked before it gets the name.
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
"""Seconds between two fsyncs while answers arrive."""
OURS: Final = re.compile(rb'\{\s*"id"\s*:')
BEGINNING: Final = b'{"id": '
KEY: Final = re.compile(r"[0-9a-f]{32}")


class FileError(LLMStreamError):
    """FILE can't be written, for example because the disk is full or the device is gone."""


class Line:
    """The relevant fields of one line of FILE."""

    __slots__ = ("data", "failed", "id", "key", "offset")

    def __init__(self, id_: Id, key: int, failed: bool, offset: int, data: bytes) -> None:
        self.id = id_
        self.key = key
        self.failed = failed
        self.offset = offset
        self.data = data


def lines_of(path: Path, name: str) -> Iterator[Line]:
    """Yield a file's lines; the last one may lack its LF, and is left out if it is torn.

    Args:
        path: the file's path.
        name: its name in messages.

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
                    f"line {number} of {name} was not written by a batch; nothing was changed",
                    hint="choose another file, or overwrite this one with --fresh",
                )
            yield line
            offset += len(data)


class ResultFile:
    """FILE, opened and locked.

    Args:
        path: the path as given by the user; a symbolic link is followed.
        fresh: empty the file first.

    Raises:
        UsageError: another run has it open, or it can't be created or written.

    `size` is the number of bytes in complete lines.
    """

    def __init__(self, path: str, *, fresh: bool = False) -> None:
        self.name = path
        self.path = Path(os.path.realpath(path))
        self.fd = self._opened()
        self.size = os.fstat(self.fd).st_size
        self.began_at = 0
        self.unsynced = False
        # the unfinished new file of a killed run
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
        """Read the answers in FILE, and cut off a torn last line.

        Returns:
            The number of the input's prompts that it answers; 0 for an input that can be read only once.

        Raises:
            UsageError: it has lines that are not answers; the file is not changed then.
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
        """Yield FILE's lines, like `lines_of`."""
        return lines_of(self.path, self.name)

    def _cut(self, size: int) -> None:
        try:
            os.ftruncate(self.fd, size)
        except OSError as error:
            raise FileError(f"can't shorten {self.name}: {error.strerror}", phase="output") from error
        self.size = size

    def append(self, data: bytes) -> None:
        """Append one answer, completely or not at all.

        Raises:
            FileError: it could not be written; FILE ends with the previous line.
        """
        done = 0
        try:
            while done < len(data):
                done += os.write(self.fd, data[done:] if done else data)
        except OSError as error:
            self._cut(self.size)
            raise FileError(
                f"can't write {self.name}: {error.strerror}",
                hint="to continue, free some space and run the same command again",
                phase="output",
            ) from error
        self.size += len(data)
        self.unsynced = True

    def sync(self) -> None:
        """Flush written data to the disk."""
        self.unsynced = False
        os.fsync(self.fd)

    def tidy(self, ledger: Ledger) -> None:
        """Remove lines that later ones replace: failed or changed prompts."""
        kept = (
            line.data
            for line in self.lines()
            if line.offset >= self.began_at or ledger.keeps(line.id, line.key, failed=line.failed)
        )
        self.replace(kept)

    def replace(self, lines: Iterable[bytes]) -> None:
        """Replace FILE's content by these lines, atomically.

        Raises:
            FileError: the new file can't be written; FILE is unchanged.
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
            raise FileError(f"can't rewrite {self.name}: {error.strerror}", phase="output") from error
        os.close(self.fd)
        self.fd, self.size = fd, size
        _sync_folder(self.path.parent)

    def close(self) -> None:
        """Sync and close, which releases the lock."""
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
    """Return one line of FILE, None if it is not an answer."""
    try:
        document = json.loads(data)
        id_, key, error = document["id"], document["key"], document["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    good = isinstance(id_, str | int | float) and isinstance(key, str) and KEY.fullmatch(key)
    return Line(id_, int(key, 16), error is not None, offset, data) if good else None


def _torn(data: bytes) -> bool:
    """Return whether bytes are the start of a line of ours, or the NUL bytes left by a crash."""
    if not data.strip(b"\0"):
        return True
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return bool(OURS.match(data)) or BEGINNING.startswith(data)
    return False


def _sync_folder(folder: Path) -> None:
    """Flush a rename to the disk, where the system can; Windows can't."""
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
