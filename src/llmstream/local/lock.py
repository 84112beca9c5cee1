"""A lock between processes: a file that is there only while somebody holds it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

POSSIBLE: Final = fcntl is not None
"""Whether there are locks; without them two processes both fetch, and the last one's file stays."""

_LOOK: Final = 0.1  # seconds between two looks whether the other process is done


def acquire(path: Path, waiting: Callable[[], None]) -> int:
    """Wait for the lock.

    Args:
        path: of its file, in a folder that is there.
        waiting: called again and again while another process holds the lock; what it raises ends the wait.

    Returns:
        What `release` is given.

    Raises:
        OSError: the file can't be made.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            while not _taken(descriptor):
                waiting()
                time.sleep(_LOOK)
            if _still_there(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def release(path: Path, descriptor: int) -> None:
    """Let the next one have the lock."""
    # first away, then unlocked: whoever waited for it sees that it is not the file any more
    path.unlink(missing_ok=True)
    os.close(descriptor)


def _taken(descriptor: int) -> bool:
    if sys.platform == "win32":
        return True  # nothing to wait for: each process fetches into a file of its own
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # some network file systems have no locks: as on Windows
    return True


def _still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
