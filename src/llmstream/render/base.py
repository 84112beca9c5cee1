"""Where rendered bytes go, and what every renderer has in common.

Output goes straight to a file descriptor: Python's buffered streams lose track of what was
written when a write fails half way, translate newlines and depend on the locale.  A *batch* is
the list of events that one network read brought; a sink makes one write of it, which is what
keeps a token cheap.
"""

from __future__ import annotations

import errno
import math
import os
import re
import select
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from llmstream.errors import LLMStreamError
from llmstream.events import Event, TextDelta

if TYPE_CHECKING:
    from llmstream.runnable.plan import Plan

GONE: Final = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN})
MOMENT: Final = 0.5
"""Seconds that a reader of standard error is waited for, over a whole run."""
PIECE: Final = 4096
"""A pipe that is ready takes this many bytes without blocking (PIPE_BUF on Linux)."""
NOTHING: Final[tuple[bytes, list[int]]] = (b"", [])
SURROGATES: Final = re.compile("[\ud800-\udfff]")


class ReaderGone(BrokenPipeError):
    """Whoever read the output is gone; nothing is wrong, there is just no one left to write for."""


class OutputError(LLMStreamError):
    """The output can't be written: the disk is full, the descriptor is closed."""


def encode(text: str) -> bytes:
    """Return `text` as UTF-8, each lone surrogate as U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return SURROGATES.sub("\ufffd", text).encode()


class Writer:
    """Writes bytes to a file descriptor, whole, whatever kind of descriptor it is.

    After the first failure everything else is dropped in silence: the failure was raised once,
    and output with a hole in it is worse than output that ends.

    Args:
        fd: the descriptor; it stays the caller's.
        name: what messages call it.
        beside: what is written is beside the answer and never costs it: what can't be written is dropped
            without a word, and a reader who does not read is waited for `MOMENT` in all.  A terminal is
            waited for: its user has paused it.

    Attributes:
        waiting: bytes have been taken over and are being written, which may take as long as the reader
            likes; an interrupt loses none of them.
    """

    def __init__(self, fd: int, name: str = "standard output", *, beside: bool = False) -> None:
        self.fd = fd
        self.name = name
        self.isatty = os.isatty(fd)
        self.broken = False
        self.waiting = False
        self._beside = beside
        self._moment = MOMENT if beside and not self.isatty else math.inf
        self._deadline: float | None = None
        self._target = (fd,)
        self._task: tuple[bytes, list[int]] | None = None

    def write(self, data: bytes) -> None:
        """Write all of `data`, waiting as long as it takes.

        What an interrupt (Ctrl-C) kept from being written is written by the next call, before
        `data`, so that a line is never left cut in the middle of the output.

        Raises:
            ReaderGone: the other end of the pipe or the terminal is closed.
            OutputError: anything else.
        """
        if self.broken:
            return
        self.finish()
        sent: list[int] = []
        self._task = (data, sent)
        self.waiting = True
        try:
            if self._deadline is None and not self._beside:
                # the common case, without _push's loop
                try:
                    sent.extend(map(os.write, self._target, (data,)))
                except OSError:
                    sent.clear()
                else:
                    if sent[0] == len(data):
                        self._task = None
                        return
            self._push()
        finally:
            self.waiting = False

    def finish(self) -> None:
        """Write what an interrupt kept from being written.

        Raises:
            ReaderGone: the other end of the pipe or the terminal is closed.
            OutputError: anything else.
        """
        if self._task is not None and not self.broken:
            self._push()

    def hurry(self, seconds: float | None) -> None:
        """From now on wait no longer than this for a reader who does not read, then drop the rest.

        For the last words of a run that was told to end; None waits again as long as it takes.
        """
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def _push(self) -> None:
        whole, sent = self._task or NOTHING
        done = sum(sent)
        while done < len(whole):
            rest = memoryview(whole)[done:] if done else whole
            if self._deadline is not None or self._moment < math.inf:
                rest = rest[:PIECE]
                if not self._ready():
                    self._give_up()
                    return
            try:
                # extend and map, since a signal handler runs between bytecodes: with
                # `done += os.write(...)` an interrupt would lose the count of what went out
                sent.extend(map(os.write, self._target, (rest,)))
            except BlockingIOError:
                if not self._ready():
                    self._give_up()
                    return
            except OSError as error:
                self.broken = True
                if self._beside:
                    return
                raise self._explained(error) from error
            done = sum(sent)
        self._task = None

    def _give_up(self) -> None:
        """Drop the rest of what is being written; a reader beside the answer may come back for the next."""
        self._task = None
        self.broken = not self._beside

    def _ready(self) -> bool:
        """Wait until the descriptor takes bytes; False when the time for that is over."""
        # Windows has no poll, and no descriptors that would block in this way
        if sys.platform == "win32":
            return True
        poll = select.poll()
        poll.register(self.fd, select.POLLOUT)
        began = time.monotonic()
        left = self._moment
        if self._deadline is not None:
            left = min(left, max(0.0, self._deadline - began))
        ready = bool(poll.poll(None if math.isinf(left) else left * 1000))
        if self._moment < math.inf:
            self._moment = max(0.0, self._moment - (time.monotonic() - began))
        return ready

    def _explained(self, error: OSError) -> Exception:
        # a terminal that was closed answers EIO
        if error.errno in GONE or (self.isatty and error.errno == errno.EIO):
            return ReaderGone(error.errno, f"{self.name}: {error.strerror}")
        hint = "free some space and try again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        if error.errno == errno.EBADF:
            hint = f"{self.name.capitalize()} is closed; redirect it to a file or to /dev/null"
        return OutputError(f"can't write to {self.name}: {error.strerror}", hint=hint, phase="output")


class Sink(Protocol):
    """Takes a run's events and shows them somehow; what a subclass does not define does nothing.

    `wants_text` false: it is spared batches of one TextDelta.
    """

    wants_text: bool = True

    def open(self, plan: Plan | None, at: float) -> None:
        """Begin the output: called once, first, with what is asked (None when that could not be made).

        Args:
            plan: the run's.
            at: when the run began, monotonic.
        """
        return

    def write(self, batch: list[Event], at: float) -> None:
        """Take the events of one read, which came at the monotonic time `at`."""
        return

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """End the output; `error` is what ended the run, None when it finished."""
        return


class Answer(Sink, Protocol):
    """A sink that shows the answer's text, and knows whether what it wrote last ended a line."""

    @property
    def ended_with_newline(self) -> bool:
        """Whether the cursor is at the beginning of a line."""
        ...

    def end_row(self) -> None:
        """End the open row of a terminal, since something else is written before the next."""
        return


class Tee(Sink):
    """Feeds several sinks, in order; each is closed even if one before it fails at that."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)
        self._all = [sink.write for sink in sinks]
        self._for_text = [sink.write for sink in sinks if sink.wants_text]

    def open(self, plan: Plan | None, at: float) -> None:
        """Open each sink."""
        for sink in self._sinks:
            sink.open(plan, at)

    def write(self, batch: list[Event], at: float) -> None:
        """Give the batch to each sink."""
        # nearly all batches of a slow model are one piece of text, which many sinks don't care for
        alone = len(batch) == 1 and type(batch[0]) is TextDelta
        for write in self._for_text if alone else self._all:
            write(batch, at)

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Close each sink.

        Raises:
            OutputError: the first failure, after all have been closed.
            ReaderGone: the same.
        """
        failure: OutputError | ReaderGone | None = None
        for sink in self._sinks:
            try:
                sink.close(error, now)
            except (OutputError, ReaderGone) as raised:
                failure = failure or raised
        if failure is not None:
            raise failure
