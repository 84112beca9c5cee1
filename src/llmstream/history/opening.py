"""Opens the history's file: private, ours, of a version that we know, and never half made.

A file that is damaged, of a later version or somebody else's is recognised by its first bytes,
before SQLite, which might repair or write it, has seen it.
"""

from __future__ import annotations

import os
import stat
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmstream.errors import HistoryError
from llmstream.history.schema import APPLICATION_ID, STEPS

if TYPE_CHECKING:
    from sqlite3 import Connection

NAME: Final = "history.db"
MAGIC: Final = b"SQLite format 3\0"
HEADER: Final = 100
"""Bytes of SQLite's header.  Source: sqlite.org, "Database File Format", section 1.3."""
PATIENCE: Final = 5.0
"""Most seconds to wait for a lock of another process."""
LOOK: Final = 0.05
LONGEST_LOG: Final = 1 << 20
"""Bytes of the write-ahead log after which it goes into the file: each opening reads it, in 2 ms a MiB."""


def see(path: Path) -> bool:
    """Return whether there is a history, after a look at its first bytes.

    Not while this process has it open: closing a descriptor takes away the locks that SQLite holds.

    Raises:
        HistoryError: something is there that is not to be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return False
    except OSError as error:
        if os.path.islink(path):  # noqa: PTH114  # that of Path may fail in its turn
            raise HistoryError(
                f"{path} is a symbolic link", hint="replace it with the file itself"
            ) from error
        raise HistoryError(f"can't open {path}: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise HistoryError(f"{path} is not a file", hint=_ASIDE)
        if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
            raise HistoryError(f"{path} belongs to another user (id {status.st_uid})")
        if sys.platform != "win32" and status.st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
        _check(path, os.read(descriptor, HEADER), status.st_size)
    except OSError as error:
        raise HistoryError(f"can't read {path}: {error.strerror}") from error
    finally:
        os.close(descriptor)
    return True


_ASIDE: Final = "to start a new history, move the file away; its path: llmstream history path"


def _check(path: Path, head: bytes, size: int) -> None:
    if len(head) < HEADER or not head.startswith(MAGIC):
        raise HistoryError(f"the history {path} is damaged: not an SQLite database", hint=_ASIDE)
    page, pages, version, application = _numbers(head)
    if application != APPLICATION_ID:
        raise HistoryError(f"{path} is another program's database", hint=_ASIDE)
    if version > len(STEPS):
        raise HistoryError(
            f"the history {path} was written by a later version of llmstream (format {version})",
            hint="update llmstream, or move the file away to start a new history",
        )
    log = path.with_name(f"{path.name}-wal")
    # while the log is there, pages that the header counts may still be in it alone
    if size < page * pages and not (log.exists() and log.stat().st_size):
        raise HistoryError(f"the history {path} is damaged: it is truncated", hint=_ASIDE)


def _numbers(head: bytes) -> tuple[int, int, int, int]:
    """Return page size, pages, our version and our mark."""
    page = struct.unpack_from(">H", head, 16)[0]
    pages = struct.unpack_from(">I", head, 28)[0]
    version, application = struct.unpack_from(">I", head, 60)[0], struct.unpack_from(">I", head, 68)[0]
    return 65536 if page == 1 else page, pages, version, application


def opened(path: Path, *, writing: bool) -> Connection:
    """Return a connection to a history that `see` has seen.

    Raises:
        HistoryError: it is damaged, locked, or can't be opened for `writing`.
    """
    import sqlite3

    connection = connected(path, "rw")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(STEPS):
            raise HistoryError(f"the history {path} was written by a later version of llmstream")
        if not writing:
            connection.execute("PRAGMA query_only = 1")
        elif version < len(STEPS):
            _migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        raise explained(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def connected(path: Path, mode: str) -> Connection:
    """Return a connection in one of SQLite's modes: ``rw`` never makes a file, ``rwc`` does.

    Raises:
        HistoryError: it can't be opened.
    """
    import sqlite3

    # what means something in a URI; quoting all that urllib would costs an import
    name = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        made = sqlite3.connect(f"file:{name}?mode={mode}", uri=True, timeout=LOOK, isolation_level=None)
        made.execute("PRAGMA synchronous = NORMAL")
        # not in the middle of a run: `leave` does it
        made.execute("PRAGMA wal_autocheckpoint = 0")
    except sqlite3.Error as error:
        raise explained(error, path) from error
    return made


def make(path: Path) -> bool:
    """Make an empty history; return False when another process was faster.

    It appears under its name only when it is complete, so that no other process finds half of it.

    Raises:
        HistoryError: it can't be made.
    """
    import sqlite3

    fresh = path.with_name(f".{path.name}-{os.getpid()}-{time.time_ns()}")
    try:
        os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = connected(fresh, "rw")
        try:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            _migrate(connection)
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        # unlike a rename, a link fails when another process was faster
        os.link(fresh, path)
    except FileExistsError:
        return False
    except sqlite3.Error as error:
        raise explained(error, path) from error
    except OSError as error:
        raise HistoryError(f"can't create {path}: {error.strerror}") from error
    finally:
        for left in ("", "-wal", "-shm", "-journal"):
            fresh.with_name(fresh.name + left).unlink(missing_ok=True)
    return True


def _migrate(connection: Connection) -> None:
    """Bring the tables to the newest version, all steps in one transaction or none."""
    begin(connection)
    # another process may have done it while we waited
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    script = "".join(STEPS[version:])
    for statement in _statements(f"{script}PRAGMA user_version = {len(STEPS)};\n"):
        connection.execute(statement)
    connection.execute("COMMIT")


def _statements(script: str) -> list[str]:
    """Return a script's statements; `executescript` would commit before it begins."""
    import sqlite3

    found, held = [], ""
    for line in script.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            found.append(held)
            held = ""
    return found


def begin(connection: Connection) -> None:
    """Begin a transaction that writes, and wait for others that do; a signal ends the wait.

    Raises:
        sqlite3.OperationalError: it is still locked after PATIENCE.
    """
    patiently(lambda: connection.execute("BEGIN IMMEDIATE"))


def patiently(work: Callable[[], object]) -> None:
    """Do what may find the database locked, again and again until PATIENCE is over.

    SQLite's own wait can't be interrupted: Python sees a signal only when the call returns.
    """
    import sqlite3

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            work()
        except sqlite3.OperationalError as error:
            if not locked(error) or time.monotonic() > deadline:
                raise
        else:
            return


def locked(error: Exception) -> bool:
    """Return whether another process holds the database."""
    return "locked" in str(error) or "busy" in str(error)


def explained(error: Exception, path: Path) -> HistoryError:
    """Return SQLite's error in our words."""
    text = str(error)
    if locked(error):
        return HistoryError(f"the history {path} is locked by another process")
    if "full" in text:
        return HistoryError(f"no disk space left for the history {path}")
    if "readonly" in text:
        return HistoryError(f"the history {path} is read-only")
    if "malformed" in text or "not a database" in text or "corrupt" in text:
        return HistoryError(f"the history {path} is damaged: {text}", hint=_ASIDE)
    return HistoryError(f"can't use the history {path}: {text}")


def leave(connection: Connection, path: Path) -> None:
    """End a connection; the last one moves the log into the file, so that the history is one file at rest."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    _shorten(connection, path)
    connection.close()


def _shorten(connection: Connection, path: Path) -> None:
    """Move a long log into the file; when another process uses it, a later one will."""
    import sqlite3

    try:
        if path.with_name(f"{path.name}-wal").stat().st_size > LONGEST_LOG:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (OSError, sqlite3.Error):
        return
