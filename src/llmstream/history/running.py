"""Find out which chats are running: each holds a file lock, which ends with its process."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = "chats"


def hold(folder: Path, chat: str) -> int | None:
    """Mark a chat as running until this process ends.

    Args:
        folder: the history's folder.
        chat: the chat's id, a UUID.

    Returns:
        The lock's descriptor, for `release`; None on Windows and when the lock file can't be created.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    place = folder / FOLDER
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        while True:
            descriptor = os.open(place / chat, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # `going_on` in another process may have deleted the file before it was locked
            if os.fstat(descriptor).st_nlink:
                return descriptor
            os.close(descriptor)
    except OSError:
        return None


def release(folder: Path, chat: str, descriptor: int) -> None:
    """Mark a chat as ended; `descriptor` is what `hold` returned, the other arguments are the same."""
    with contextlib.suppress(OSError):
        (folder / FOLDER / chat).unlink(missing_ok=True)
    os.close(descriptor)


def going_on(folder: Path) -> list[str]:
    """Return the ids of the running chats, none on Windows; remove the lock files of killed ones."""
    if sys.platform == "win32":
        return []
    import fcntl

    found = []
    try:
        marks = sorted((folder / FOLDER).iterdir())
    except OSError:
        return []
    for mark in marks:
        try:
            descriptor = os.open(mark, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mark.unlink(missing_ok=True)
        except OSError:
            found.append(mark.name)
        finally:
            os.close(descriptor)
    return found
