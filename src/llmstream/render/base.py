"""The writer for rendered bytes, and the protocols that all sinks implement.

Output goes straight to a file descriptor: Python's buffered streams lose track of what was
written when a write fails half-way, translate newlines and depend on the locale.  A *batch* is
the list of events from one network read; a sink makes one write of it, to keep the cost per token
low.
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
"""Longest wait for the reader of output `beside` the answer, in seconds over a whole run."""
PIECE: Final = 4096
"""Bytes that a ready pipe accepts without blocking (PIPE_BUF on Linux)."""
NOTHING: Final[tuple[bytes, list[int]]] = (b"", [])
SURROGATES: Final = re.compile("[\ud800-\udfff]")


class ReaderGone(BrokenPipeError):
    """The reader has closed the output, as ``head`` does; not an error of ours."""


class OutputError(LLMStreamError):
    """The output can't be written, for example because the disk is full or the descriptor is closed."""


def encode(text: str) -> bytes:
    """Return `text` in UTF-8, with lone surrogates replaced by U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return SURROGATES.sub("\ufffd", text).encode()


class Writer:
    """Writes bytes completely to a file descriptor of any kind.

    After the first failure, which is raised, all further output is dropped silently: output with a gap
    is worse than output that ends.

    Args:
        fd: the descriptor, which the caller closes.
        name: its name in messages.
        beside: whether the output accompanies the answer and must never hold it up: what can't be written
            is dropped silently, without an error, after waiting for a slow reader for at most `MOMENT`
            seconds in total.  A terminal has no such limit: if it is slow, its user has paused it.

    Attributes:
        waiting: whether a write is in progress, which may take as long as the reader does; an interrupt
            loses none of its bytes.
        broken: whether all further output is dropped, after a failure or when `hurry`'s time is up.
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
        """Write all of `data`, however long that takes unless `beside` or `hurry` limits the wait.

        If an interrupt (Ctrl-C) broke off the last write, its rest is written before `data`, so that
        no line is cut in the middle of the output.

        Raises:
            ReaderGone: the other end of the pipe or the terminal is closed.
            OutputError: the write failed for another reason.
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
        """Write the rest of a write that an interrupt broke off.

        Raises:
            ReaderGone: as for `write`.
            OutputError: as for `write`.
        """
        if self._task is not None and not self.broken:
            self._push()

    def hurry(self, seconds: float | None) -> None:
        """From now on, wait for the reader at most `seconds` in total, then drop the rest.

        For the last output of a run that was told to end; None removes the limit.
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
                # extend and map, because a signal handler runs between bytecodes: with
                # `done += os.write(...)` an interrupt would lose the count of bytes written
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
        """Drop the rest of the current write; with `beside`, later writes are tried again."""
        self._task = None
        self.broken = not self._beside

    def _ready(self) -> bool:
        """Wait until the descriptor accepts bytes; return False when the time limit has passed."""
        # Windows has no poll, and no descriptors that block in this way
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
        # a write to a closed terminal fails with EIO
        if error.errno in GONE or (self.isatty and error.errno == errno.EIO):
            return ReaderGone(error.errno, f"{self.name}: {error.strerror}")
        hint = "free some space and try again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        if error.errno == errno.EBADF:
            hint = "redirect it to a file or to /dev/null"
            return OutputError(f"{self.name} is closed", hint=hint, phase="output")
        return OutputError(f"can't write to {self.name}: {error.strerror}", hint=hint, phase="output")


class Sink(Protocol):
    """Receives a run's events and shows or stores them; each method does nothing unless overridden.

    If `wants_text` is False, a Tee does not pass it batches of a single TextDelta.
    """

    wants_text: bool = True

    def open(self, plan: Plan | None, at: float) -> None:
        """Start the output; called once, before all other methods.

        Args:
            plan: the run's plan, None if it could not be made.
            at: when the run started, monotonic seconds.
        """
        return

    def write(self, batch: list[Event], at: float) -> None:
        """Handle the events of one read, received at the monotonic time `at`, in seconds."""
        return

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """End the output at `now`, monotonic seconds; `error` is what ended the run, None if it finished."""
        return


class Answer(Sink, Protocol):
    """A sink that shows the answer's text and knows whether its output ended with a newline."""

    @property
    def ended_with_newline(self) -> bool:
        """Whether the cursor is at the start of a line."""
        ...

    def end_row(self) -> None:
        """End the open row of a terminal, because something else is written next."""
        return


class Tee(Sink):
    """Passes events to several sinks in order; each is closed even if closing another one fails."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)
        self._all = [sink.write for sink in sinks]
        self._for_text = [sink.write for sink in sinks if sink.wants_text]

    def open(self, plan: Plan | None, at: float) -> None:
        """Open each sink."""
        for sink in self._sinks:
            sink.open(plan, at)

    def write(self, batch: list[Event], at: float) -> None:
        """Pass the batch to each sink."""
        # nearly all batches of a slow model are a single piece of text, which many sinks don't need
        alone = len(batch) == 1 and type(batch[0]) is TextDelta
        for write in self._for_text if alone else self._all:
            write(batch, at)

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Close each sink.

        Raises:
            OutputError: a sink could not write; raised after all have been closed.
            ReaderGone: likewise; of several failures, the first is raised.
        """
        failure: OutputError | ReaderGone | None = None
        for sink in self._sinks:
            try:
                sink.close(error, now)
            except (OutputError, ReaderGone) as raised:
                failure = failure or raised
        if failure is not None:
            raise failure
