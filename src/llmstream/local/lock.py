"""A lock between processes: a file that exists only while the lock is held.

A killed process leaves the file behind, but unlocked.
"""

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
"""Whether locks are available; without them, two processes may download the same model at once."""

_LOOK: Final = 0.1  # seconds between two attempts to get the lock


def acquire(path: Path, waiting: Callable[[], None]) -> int:
    """Wait for the lock and take it.

    Args:
        path: the lock file, in an existing folder.
        waiting: called repeatedly while another process holds the lock; an exception from it ends the wait.

    Returns:
        The argument for `release`.

    Raises:
        OSError: the file can't be created or opened.
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
    """Release the lock and remove its file."""
    # removed before it is unlocked, so that a waiting process sees that its file has lost the name
    path.unlink(missing_ok=True)
    os.close(descriptor)


def _taken(descriptor: int) -> bool:
    if sys.platform == "win32":
        return True  # no locks (see POSSIBLE): nobody waits
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # some network file systems have no locks: nobody waits there either
    return True


def _still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
