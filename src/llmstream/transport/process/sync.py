"""Effects on a child process, for threads; waits for all of its pipes at once."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO

from llmstream.engine.effects import Effect, Head, Open, Read, Reply
from llmstream.errors import Cancelled
from llmstream.transport.patience import Patience
from llmstream.transport.process.common import (
    HEAD,
    PIPE_SIZE,
    POLL,
    Ending,
    Tail,
    arguments,
    exit_error,
    signal_group,
    starting_error,
)


class ProcessTransport:
    """Carries out one run's effects.

    Args:
        command: program and arguments; `PLACEHOLDER` in an argument is replaced by the prompt, which
            otherwise goes to standard input.
        environment: the process's environment variables, None for ours.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._command = tuple(command)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._selector = selectors.DefaultSelector()
        self._input = memoryview(b"")
        self._tail = Tail()
        self._patience = Patience()
        self._stopped = False

    def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return its result.

        Raises:
            LLMStreamError: the effect failed; the message does not name the provider.
        """
        if isinstance(effect, Read):
            return self._read(effect.deadline)
        if isinstance(effect, Open):
            return self._open(effect)
        # Close or Keep; the driver carries out the others itself
        self._drop()
        return None

    def stop(self) -> None:
        """End the current wait and every later one; may be called from any thread.

        SIGTERM makes the process close its output, which wakes the reader; if it does not, the reader notices
        within `TICK` seconds.
        """
        self._stopped = True
        process = self._process
        if process is not None and process.returncode is None:
            signal_group(process.pid, signal.SIGTERM)

    def close(self) -> None:
        """End the running process, and wait for its end."""
        self._drop()
        self._selector.close()

    def _open(self, effect: Open) -> Head:
        self._drop()
        argv, given = arguments(self._command, effect.request.body)
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            raise starting_error(argv[0], error) from error
        self._process = process
        self._tail = Tail()
        self._input = memoryview(given or b"")
        self._watch(process.stdout, selectors.EVENT_READ)
        self._watch(process.stderr, selectors.EVENT_READ)
        if process.stdin is not None:
            self._watch(process.stdin, selectors.EVENT_WRITE)
        return HEAD

    def _watch(self, pipe: IO[bytes] | None, event: int) -> None:
        assert pipe is not None
        if sys.platform != "win32":
            os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe, event)

    def _read(self, deadline: float) -> bytes:
        process, patience = self._process, self._patience
        if process is None or self._stopped:
            raise Cancelled("the answer was closed")
        patience.arm(deadline)
        output = process.stdout
        while output is not None and not output.closed:
            for key, _ in self._selector.select(patience.slice(time.monotonic())):
                if key.fileobj is output:
                    data = self._take(output)
                    if data:
                        return data
                else:
                    self._serve(process)
            if self._stopped:
                raise Cancelled("the answer was closed")
        return self._end(process, patience)

    def _end(self, process: subprocess.Popen[bytes], patience: Patience) -> bytes:
        """Wait for the exit of a process that has closed its output, and check its status."""
        while process.poll() is None:
            self._serve(process)
            if self._stopped:
                raise Cancelled("the answer was closed")
            time.sleep(patience.slice(time.monotonic(), POLL))
        self._serve(process)
        self._process = None
        self._forget(process)
        if process.returncode:
            raise exit_error(self._command[0], process.returncode, self._tail.bytes())
        return b""

    def _serve(self, process: subprocess.Popen[bytes]) -> None:
        """Write its standard input and read its standard error, as far as possible without waiting."""
        complaints, given = process.stderr, process.stdin
        if complaints is not None and not complaints.closed:
            self._tail.add(self._take(complaints))
        if given is not None and not given.closed:
            self._give(given)

    def _take(self, pipe: IO[bytes]) -> bytes:
        try:
            data = os.read(pipe.fileno(), PIPE_SIZE)
        except BlockingIOError:
            return b""
        if not data:
            self._shut(pipe)
        return data

    def _give(self, pipe: IO[bytes]) -> None:
        try:
            written = os.write(pipe.fileno(), self._input[:PIPE_SIZE]) if self._input else 0
        except BlockingIOError:
            return
        except BrokenPipeError:
            # a process need not read its input
            written = len(self._input)
        self._input = self._input[written:]
        if not self._input:
            self._shut(pipe)

    def _shut(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(pipe)
        with contextlib.suppress(OSError):
            pipe.close()

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None and not pipe.closed:
                self._shut(pipe)

    def _drop(self) -> None:
        """End the process and everything it started; closing its pipes already ends most processes."""
        process, self._process = self._process, None
        if process is None:
            return
        self._forget(process)
        ending = Ending(process.pid, time.monotonic())
        try:
            while ending.waits(time.monotonic(), process.poll() is not None):
                time.sleep(POLL)
        finally:
            # also if a second Ctrl-C cuts the grace period short
            ending.kill()
            process.wait()
