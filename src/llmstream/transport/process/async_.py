"""Effects on a child process, for event loops; the async counterpart of `sync`."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping, Sequence
from typing import Final

from llmstream.engine.effects import Effect, Head, Open, Read, Reply
from llmstream.errors import Cancelled
from llmstream.transport.patience import Patience
from llmstream.transport.process.common import (
    GRACE,
    HEAD,
    KILL,
    PIPE_SIZE,
    POLL,
    Ending,
    Tail,
    arguments,
    exit_error,
    signal_group,
    starting_error,
)

STDIN, STDOUT, STDERR = 0, 1, 2
_ENDING: Final[set[asyncio.Task[None]]] = set()
"""Tasks that end processes, because an event loop keeps only weak references to its tasks."""


class Pipes(asyncio.SubprocessProtocol):
    """Buffers a process's output until it is read, at most about two full pipes."""

    def __init__(self) -> None:
        self.tail = Tail()
        self.open = {STDIN, STDOUT, STDERR}
        self.exited = False
        self._output = bytearray()
        self._changed = asyncio.Event()
        self._reading: asyncio.ReadTransport | None = None
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport of the output, to pause reading it."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        output = transport.get_pipe_transport(STDOUT)
        self._reading = output if isinstance(output, asyncio.ReadTransport) else None

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep the output, and the end of standard error."""
        if fd == STDERR:
            self.tail.add(data)
            return
        self._output += data
        self._changed.set()
        if len(self._output) >= PIPE_SIZE and self._reading is not None and not self._paused:
            self._paused = True
            self._reading.pause_reading()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note that a pipe was closed."""
        self.open.discard(fd)
        self._changed.set()

    def process_exited(self) -> None:
        """Note that the process itself has ended."""
        self.exited = True
        self._changed.set()

    def take(self) -> bytes:
        """Return the output since the last call, empty if there is none."""
        data = bytes(self._output)
        self._output.clear()
        if self._paused and self._reading is not None:
            self._paused = False
            self._reading.resume_reading()
        return data

    def wake(self) -> None:
        """End `change` at once."""
        self._changed.set()

    async def change(self, seconds: float) -> None:
        """Wait until something happens, `seconds` at most."""
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass


class AsyncProcessTransport:
    """Carries out one run's effects.

    Args:
        command: program and arguments; `PLACEHOLDER` in an argument is replaced by the prompt, which
            otherwise goes to standard input.
        environment: the process's environment variables, None for ours.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._command = tuple(command)
        self._environment = environment
        self._process: asyncio.SubprocessTransport | None = None
        self._pipes = Pipes()
        self._patience = Patience()
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._ending: asyncio.Task[None] | None = None

    async def perform(self, effect: Effect) -> Reply:
        """Carry out one effect and return its result.

        Raises:
            LLMStreamError: the effect failed; the message does not name the provider.
        """
        if isinstance(effect, Read):
            return await self._read(effect.deadline)
        if isinstance(effect, Open):
            return await self._open(effect)
        # Close or Keep; the driver carries out the others itself
        await self._drop()
        return None

    def stop(self) -> None:
        """End the current wait and every later one, and the process; may be called from any thread."""
        self._stopped = True
        loop, process = self._loop, self._process
        if loop is None or process is None:
            return
        if not loop.is_running():
            # nothing can wait for its end any more
            self._process = None
            signal_group(process.get_pid(), KILL)
            with contextlib.suppress(RuntimeError):
                process.close()
        elif threading.get_ident() == self._thread:
            self._pipes.wake()
            self._ending = ending = loop.create_task(self._drop())
            _ENDING.add(ending)
            ending.add_done_callback(_ENDING.discard)
        else:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self.stop)

    async def aclose(self) -> None:
        """End the running process, and wait for its end."""
        await self._drop()
        if self._ending is not None:
            await asyncio.shield(self._ending)

    async def _open(self, effect: Open) -> Head:
        await self._drop()
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        argv, given = arguments(self._command, effect.request.body)
        try:
            process, pipes = await asyncio.get_running_loop().subprocess_exec(
                Pipes,
                *argv,
                stdin=asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            raise starting_error(argv[0], error) from error
        self._process, self._pipes = process, pipes
        entry = process.get_pipe_transport(STDIN)
        if isinstance(entry, asyncio.WriteTransport):
            # close() still writes the rest; a process need not read its input
            entry.write(given or b"")
            entry.close()
        return HEAD

    async def _read(self, deadline: float) -> bytes:
        process, pipes, patience = self._process, self._pipes, self._patience
        if process is None or self._stopped:
            raise Cancelled("the answer was closed")
        patience.arm(deadline)
        loop = asyncio.get_running_loop()
        while True:
            data = pipes.take()
            if data:
                return data
            if STDOUT not in pipes.open:
                return await self._end(process, patience)
            await pipes.change(patience.slice(loop.time()))
            if self._stopped:
                raise Cancelled("the answer was closed")

    async def _end(self, process: asyncio.SubprocessTransport, patience: Patience) -> bytes:
        """Wait for the exit of a process that has closed its output, and check its status."""
        loop, pipes = asyncio.get_running_loop(), self._pipes
        while not pipes.exited:
            await pipes.change(patience.slice(loop.time()))
            if self._stopped:
                raise Cancelled("the answer was closed")
        if STDERR in pipes.open:
            # the end of its standard error may still arrive, unless another process holds the pipe open
            await pipes.change(POLL)
        self._process = None
        process.close()
        status = process.get_returncode()
        if status:
            raise exit_error(self._command[0], status, pipes.tail.bytes())
        return b""

    async def _drop(self) -> None:
        """End the process and everything it started; closing its pipes already ends most processes."""
        process, self._process = self._process, None
        if process is None:
            return
        loop, pipes = asyncio.get_running_loop(), self._pipes
        for fd in (STDIN, STDOUT, STDERR):
            pipe = process.get_pipe_transport(fd)
            if pipe is not None:
                pipe.close()
        ending = Ending(process.get_pid(), loop.time())
        try:
            while ending.waits(loop.time(), pipes.exited):
                await asyncio.sleep(POLL)
        finally:
            # also if a second Ctrl-C cuts the grace period short
            ending.kill()
        while not pipes.exited:
            await pipes.change(GRACE)
        process.close()
