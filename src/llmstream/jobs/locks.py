"""The operating system's lock on an open file, released when the process ends, however it ends."""

from __future__ import annotations

import errno
import os
import sys
from typing import Final

BUSY: Final = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})

if sys.platform == "win32":
    import msvcrt

    _FAR: Final = 2**62
    """Offset of a byte beyond all answers, because Windows refuses to read locked bytes."""

    def lock(fd: int) -> bool:
        """Lock a file without waiting; return False if another process has locked it.

        True does not prove that it is locked: some network file systems have no locks.
        """
        at = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return error.errno not in BUSY
        finally:
            os.lseek(fd, at, os.SEEK_SET)
        return True

else:
    import fcntl

    def lock(fd: int) -> bool:
        """Lock a file without waiting; return False if another process has locked it.

        True does not prove that it is locked: some network file systems have no locks.
        """
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in BUSY
        return True
