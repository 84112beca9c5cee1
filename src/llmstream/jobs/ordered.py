"""Put answers into the input's order, for a stream that can't be sorted afterwards.

Lines that wait for an earlier answer are kept in memory up to a limit, and beyond it in a file without
a name, which disappears with the process.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable
from typing import IO, Final

IN_MEMORY: Final = 4 << 20
"""Most bytes of waiting lines kept in memory."""


class Ordered:
    """Writes lines in the order in which their numbers were announced.

    Args:
        write: called with each line in its turn.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._expected: deque[int] = deque()
        self._held: dict[int, bytes | tuple[int, int]] = {}
        self._bytes = 0
        self._aside: IO[bytes] | None = None
        self._end = 0

    def expect(self, number: int) -> None:
        """Announce a line, to be written after those announced before."""
        self._expected.append(number)

    def put(self, number: int, line: bytes) -> None:
        """Add a line; write it, and those waiting for it, if it is its turn."""
        if not self._expected or self._expected[0] != number:
            self._hold(number, line)
            return
        self._expected.popleft()
        self._write(line)
        while self._expected and self._expected[0] in self._held:
            self._write(self._taken(self._expected.popleft()))

    def close(self) -> None:
        """Write the lines still waiting, in order; those they waited for will not arrive."""
        while self._expected:
            number = self._expected.popleft()
            if number in self._held:
                self._write(self._taken(number))
        if self._aside is not None:
            self._aside.close()

    def _hold(self, number: int, line: bytes) -> None:
        if self._bytes + len(line) <= IN_MEMORY:
            self._held[number] = line
            self._bytes += len(line)
            return
        if self._aside is None:
            self._aside = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # as long as this object
        self._aside.seek(self._end)
        self._aside.write(line)
        self._held[number] = (self._end, len(line))
        self._end += len(line)

    def _taken(self, number: int) -> bytes:
        held = self._held.pop(number)
        if isinstance(held, bytes):
            self._bytes -= len(held)
            return held
        assert self._aside is not None
        offset, size = held
        self._aside.seek(offset)
        line = self._aside.read(size)
        if not any(isinstance(other, tuple) for other in self._held.values()):
            self._end = 0
            self._aside.truncate(0)
        return line
