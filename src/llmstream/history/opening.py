"""Open or create the history's file, after checking its owner, format, version and size.

The checks read the first bytes directly: SQLite might repair or write to a file that it opens, also to
one that is truncated, from a later version, or another program's.
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
"""Size of SQLite's header in bytes.  Source: sqlite.org, "Database File Format", section 1.3."""
PATIENCE: Final = 5.0
"""Longest wait for another process's lock, in seconds."""
LOOK: Final = 0.05
"""SQLite's own wait for a lock, in seconds; `patiently` repeats it."""
LONGEST_LOG: Final = 1 << 20
"""A longer write-ahead log (bytes) is moved into the file: opening reads the log, 2 ms per MiB."""


def see(path: Path) -> bool:
    """Return whether the history exists, after checking its owner and first bytes.

    The file is made private to the user (mode 0600).  Don't call this while this process has the history
    open: closing a descriptor releases SQLite's locks.

    Raises:
        HistoryError: the file is damaged, not a regular file, from a later version, another program's,
            or another user's; or it can't be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return False
    except OSError as error:
        if os.path.islink(path):  # noqa: PTH114  # Path.is_symlink may raise OSError itself
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


_ROOM: Final = 1 << 16
"""Bytes that SQLite needs to open a database: its shared memory and the head of its log."""
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
    # as long as the log exists, pages counted in the header may be only in the log
    if size < page * pages and not (log.exists() and log.stat().st_size):
        raise HistoryError(f"the history {path} is damaged: it is truncated", hint=_ASIDE)


def _numbers(head: bytes) -> tuple[int, int, int, int]:
    """Return page size in bytes, number of pages, user_version and application_id."""
    page = struct.unpack_from(">H", head, 16)[0]
    pages = struct.unpack_from(">I", head, 28)[0]
    version, application = struct.unpack_from(">I", head, 60)[0], struct.unpack_from(">I", head, 68)[0]
    return 65536 if page == 1 else page, pages, version, application


def opened(path: Path, *, writing: bool) -> Connection:
    """Return a connection to a history that `see` has checked.

    For `writing`, tables of an older version are migrated first.

    Raises:
        HistoryError: it is damaged, locked, from a later version, or can't be opened or migrated.
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
    """Return a connection in one of SQLite's modes: ``rwc`` creates a missing file, ``rw`` doesn't.

    Raises:
        HistoryError: it can't be opened.
    """
    import sqlite3

    # only the characters that are special in a URI, because urllib's quote would cost an import
    name = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        made = sqlite3.connect(f"file:{name}?mode={mode}", uri=True, timeout=LOOK, isolation_level=None)
        made.execute("PRAGMA synchronous = NORMAL")
        # no checkpoint in the middle of a run: `leave` does it
        made.execute("PRAGMA wal_autocheckpoint = 0")
    except sqlite3.Error as error:
        raise explained(error, path) from error
    return made


def make(path: Path) -> bool:
    """Create an empty history; return False if another process has created it in the meantime.

    The file gets its name only when it is complete, so that other processes never see a partial one.

    Raises:
        HistoryError: it can't be created.
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
        # unlike a rename, a link fails if the file exists
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
    """Bring the tables to the newest version in one transaction."""
    begin(connection)
    # another process may have migrated the tables while this one waited
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    script = "".join(STEPS[version:])
    for statement in _statements(f"{script}PRAGMA user_version = {len(STEPS)};\n"):
        connection.execute(statement)
    connection.execute("COMMIT")


def _statements(script: str) -> list[str]:
    """Split a script into statements: `executescript` would commit the open transaction first."""
    import sqlite3

    found, held = [], ""
    for line in script.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            found.append(held)
            held = ""
    return found


def begin(connection: Connection) -> None:
    """Start a write transaction; wait for those of other processes, unless a signal ends the wait.

    Raises:
        sqlite3.OperationalError: the database is still locked after PATIENCE.
    """
    patiently(lambda: connection.execute("BEGIN IMMEDIATE"))


def patiently(work: Callable[[], object]) -> None:
    """Call `work` again as long as the database is locked, for at most PATIENCE seconds.

    Not in one long wait of SQLite's: Python handles a signal only when that returns.

    Raises:
        sqlite3.Error: the database is still locked, or `work` failed in another way.
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
    """Return whether SQLite's error means that another process has locked the database."""
    return "locked" in str(error) or "busy" in str(error)


def explained(error: Exception, path: Path) -> HistoryError:
    """Return the HistoryError for an error of SQLite."""
    text = str(error)
    if locked(error):
        return HistoryError(f"the history {path} is locked by another process")
    if "full" in text or ("disk I/O" in text and _is_full(path)):
        return HistoryError(
            f"no disk space left for the history {path}", hint="free some space and try again"
        )
    if "readonly" in text:
        return HistoryError(f"the history {path} is read-only")
    if "malformed" in text or "not a database" in text or "corrupt" in text:
        return HistoryError(f"the history {path} is damaged: {text}", hint=_ASIDE)
    return HistoryError(f"can't use the history {path}: {text}")


def _is_full(path: Path) -> bool:
    """Return whether there is no room for SQLite's own files, which it reports as an I/O error."""
    import shutil

    try:
        return shutil.disk_usage(path.parent).free < _ROOM
    except OSError:
        return False


def leave(connection: Connection, path: Path) -> None:
    """Roll back an open transaction and close the connection.

    SQLite's last connection moves the log into the file, so that an unused history is a single file.
    """
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    _shorten(connection, path)
    connection.close()


def _shorten(connection: Connection, path: Path) -> None:
    """Move a long log into the file; if another process is using it, a later run does this."""
    import sqlite3

    try:
        if path.with_name(f"{path.name}-wal").stat().st_size > LONGEST_LOG:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (OSError, sqlite3.Error):
        return
