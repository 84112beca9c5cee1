"""INPUT: a file that is read twice, or a stream that is read as it arrives."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from llmstream.errors import MissingExtra, UsageError
from llmstream.jobs.inputs import Asker, tokens_of
from llmstream.jobs.ledger import Ledger
from llmstream.jobs.rows import BadRow, RowOrBad, row_of, rows_of_csv, rows_of_lines

PIECE: Final = 8 * 1024
"""Bytes per read of a pipe, so that it is not read far ahead; long lines use larger reads."""
LARGEST_PIECE: Final = 1 << 20
LONGEST_LINE: Final = 64 << 20
"""Bytes of a line that is read from a pipe or a device, which may have no end."""
MOST_WRONG: Final = 1000
"""Invalid rows after which the check stops."""


class Source:
    """An opened input.

    Args:
        name: INPUT as the user wrote it; ``-`` is standard input.

    Raises:
        UsageError: it can't be read.
    """

    def __init__(self, name: str) -> None:
        self.name = "standard input" if name == "-" else name
        self.is_csv = name.lower().endswith(".csv")
        try:
            # opening a FIFO waits for its writer
            self.fd = 0 if name == "-" else os.open(name, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            self.status = os.fstat(self.fd)
        except OSError as error:
            raise UsageError(f"can't read {self.name}: {error.strerror}") from error
        if stat.S_ISDIR(self.status.st_mode):
            self.close()
            raise UsageError(f"can't read {self.name}: it is a directory")
        self.repeatable = stat.S_ISREG(self.status.st_mode)
        self._begin = os.lseek(self.fd, 0, os.SEEK_CUR) if self.repeatable else 0

    @classmethod
    def at(cls, url: str) -> Source:
        """Return an input at a URL that fsspec supports (``s3://``, ``file://``), downloaded to this disk.

        Raises:
            MissingExtra: fsspec is not installed.
            UsageError: it can't be read.
        """
        try:
            fsspec = import_module("fsspec")
        except ImportError as error:
            hint = "pip install 'llmstream-cli[ray]'"
            raise MissingExtra(f"{url} needs the extra ray", hint=hint) from error
        with tempfile.NamedTemporaryFile(prefix="llmstream-", suffix=".input") as kept:
            try:
                with fsspec.open(url, "rb") as file:
                    shutil.copyfileobj(file, kept, 1 << 20)
                kept.flush()
            except (OSError, ValueError, ImportError) as error:
                raise UsageError(f"can't read {url}: {error}") from error
            source = cls(kept.name)
        source.name, source.is_csv = url, url.lower().endswith(".csv")
        return source

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it, unless it is standard input."""
        if self.fd > 0:
            fd, self.fd = self.fd, -1
            os.close(fd)

    def same_as(self, path: str) -> bool:
        """Return whether a path leads to the same file."""
        try:
            return os.path.samestat(self.status, Path(path).stat())
        except OSError:
            return False

    def rows(self) -> Iterator[RowOrBad]:
        """Yield the rows of a repeatable input from the start.

        Raises:
            UsageError: it can't be read any more.
        """
        rows = rows_of_csv if self.is_csv else rows_of_lines
        # the source's own descriptor stays open; one reading ends before the next starts
        with os.fdopen(os.dup(self.fd), "rb", buffering=1 << 18) as file:
            file.seek(self._begin)
            try:
                yield from rows(file)
            except OSError as error:
                raise UsageError(f"can't read {self.name}: {error.strerror}") from error

    def pieces(self) -> Iterator[list[RowOrBad]]:
        """Yield the rows of each read; blocks until there are some.

        Raises:
            UsageError: it can't be read any more.
        """
        if self.is_csv:
            for record in rows_of_csv(line for piece in self._lines() for line in piece):
                yield [record]
            return
        number = 0
        for lines in self._lines():
            rows = [row for at, line in enumerate(lines, number + 1) if (row := row_of(line, at)) is not None]
            number += len(lines)
            if rows:
                yield rows

    def _lines(self) -> Iterator[list[bytes]]:
        """Yield the lines completed by each read."""
        parts: list[bytes] = []
        size = PIECE
        while data := self._read(size):
            head, newline, tail = data.rpartition(b"\n")
            if not newline:
                parts.append(data)
                size = min(size * 2, LARGEST_PIECE)
                if sum(map(len, parts)) > LONGEST_LINE:
                    raise UsageError(f"{self.name} has a line longer than the {LONGEST_LINE >> 20} MiB limit")
                continue
            whole = b"".join([*parts, head, newline])
            parts, size = [tail], PIECE
            yield [line + b"\n" for line in whole.split(b"\n")[:-1]]
        if rest := b"".join(parts):
            yield [rest]

    def _read(self, size: int) -> bytes:
        try:
            return os.read(self.fd, size)
        except OSError as error:
            raise UsageError(f"can't read {self.name}: {error.strerror}") from error


class Check:
    """The result of the first reading of an input.

    Attributes:
        prompts: number of prompts.
        models: number of prompts by the model's full name.
        tokens: a rough count of the input's tokens, four characters each.
    """

    def __init__(self) -> None:
        self.prompts = 0
        self.models: dict[str, int] = {}
        self.tokens = 0


def check(rows: Iterable[RowOrBad], asker: Asker, ledger: Ledger) -> Check:
    """Read an input for the first time, to check every row before anything is sent.

    Args:
        rows: all rows.
        asker: makes questions.
        ledger: every valid row is added to it.

    Raises:
        BadRow: the first invalid row; its hint says how many there are.
    """
    found = Check()
    first: BadRow | None = None
    wrong = 0
    for row in rows:
        try:
            if isinstance(row, BadRow):
                raise row
            ask = asker.ask(row)
            if not ledger.add(ask.id, ask.key):
                raise BadRow(row.number, f"the id {ask.id!r} occurs twice", row.data, ask.id)
        except BadRow as error:
            first = first or error
            wrong += 1
            if wrong == MOST_WRONG:
                break
            continue
        found.prompts += 1
        endpoint = ask.targets[0].endpoint
        name = f"{endpoint.provider}/{endpoint.model}"
        found.models[name] = found.models.get(name, 0) + 1
        found.tokens += tokens_of(ask.prompt.messages)
    if first is not None:
        if wrong > 1:
            more = "at least " if wrong == MOST_WRONG else ""
            count = f"{more}{wrong} lines can't be used; this is the first"
            first.hint = f"{first.hint}\n{count}".lstrip("\n")
        raise first
    return found
