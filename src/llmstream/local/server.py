"""llama.cpp in this process, as a server on a loopback port that only we have the key of.

So a local model is an ordinary OpenAI-compatible endpoint: the same code, the same limits, the
same cancellation by closing the connection.

A server stays until the process ends.  Its own stop waits up to 30 s for answers in flight, and for
ever when it meets a server that has just begun to listen (xllamacpp 2026.10, measured); and
as Python's and C's tidying up would stop it, or free what its threads are using, it is kept from both.
While a model loads, llama.cpp holds the interpreter's lock: other threads, and Ctrl-C, wait.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final, Protocol

from llmstream.errors import LocalModelError, MissingExtra
from llmstream.local.files import check_gguf
from llmstream.prompt import Secret

LARGEST_CONTEXT: Final = 8192
"""Tokens of context when none is asked for: some models' own would take tens of gigabytes."""
_SMALL: Final = 1 << 30  # bytes of a model that fits on any graphics card
_SPINS: Final = "GOMP_SPINCOUNT"


class LlamaServer:
    """One model, loaded when it is first asked for.

    Args:
        path: a GGUF file.
        context: size of the context in tokens; 0 for the model's own, but 8192 at most.
        threads: that compute; 0 for as many as llama.cpp finds right.
    """

    def __init__(self, path: Path, *, context: int = 0, threads: int = 0) -> None:
        self._path = path
        self._context = context
        self._threads = threads
        self._lock = threading.Lock()
        self._started: tuple[str, Secret] | None = None

    def start(self) -> tuple[str, Secret]:
        """Load the model if it isn't yet; may be called from any thread, any number of times.

        Returns:
            The address without a path, such as ``http://127.0.0.1:40123``, and the key it wants.

        Raises:
            MissingExtra: xllamacpp is not installed.
            LocalModelError: the file can't be used as a model.
        """
        with self._lock:
            if self._started is None:
                self._started = self._load()
            return self._started

    def _load(self) -> tuple[str, Secret]:
        check_gguf(self._path)
        xllamacpp = require()
        key = os.urandom(24).hex()
        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.api_keys = [key]
        params.n_ctx = self._context or LARGEST_CONTEXT
        for name, value in self._settings().items():
            # a version that lacks one of these has nothing to be told about it
            if hasattr(params, name):
                setattr(params, name, value)
        if self._threads:
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._threads
        try:
            server = _make(xllamacpp, params)
        except RuntimeError as error:
            raise LocalModelError(
                f"llama.cpp can't load {self._path}: it is cut off, damaged, of a kind that this version "
                "does not know, or larger than the memory",
                hint="`llmstream pull` fetches it again; a smaller `context` takes less memory",
            ) from error
        return str(server.listening_address), Secret(key, "key of the local model")

    def _settings(self) -> dict[str, object]:
        return {
            "verbosity": -1,  # not a line, not even on failure
            "warmup": False,
            "model_alias": {self._path.stem},  # else answers tell the path on this machine
            "ui": False,
            "endpoint_slots": False,  # shows the prompts
            "offline": True,
            # a search for what fits on the graphics card: a third of a small model's loading time
            "fit_params": self._path.stat().st_size > _SMALL,
        }


class _Listening(Protocol):
    """What we use of xllamacpp.Server."""

    listening_address: str


_alive: list[list[_Listening]] = []


def _make(xllamacpp: ModuleType, params: object) -> _Listening:
    """Start a server that is never stopped.

    A Ctrl-C while it loads is raised at the very moment that it is there, before it has a name; it
    would be stopped then and there, and hang.  So it is put on a list without a step of
    Python in between.
    """
    made: list[_Listening] = []
    _alive.append(made)
    try:
        made.extend(map(xllamacpp.Server, (params,)))
    finally:
        for server in made:
            _keep(server)
    return made[0]


def require() -> ModuleType:
    """Return the module that brings llama.cpp.

    Raises:
        MissingExtra: it is not installed, or can't be loaded on this machine.
    """
    try:
        with _brief_spinning():
            import xllamacpp
    except ImportError as error:
        broken = "" if isinstance(error, ModuleNotFoundError) else f" ({error})"
        raise MissingExtra(
            f"the local model needs xllamacpp, which is not installed{broken}",
            hint="pip install 'llmstream-cli[local]'",
        ) from error
    module: ModuleType = xllamacpp
    return module


@contextmanager
def _brief_spinning() -> Generator[None, None, None]:
    """Let the threads that llama.cpp computes with spin briefly only while they wait for each other.

    By default GNU OpenMP spins for milliseconds, on the very core that the other thread waits for
    when somebody else computes too: three processes on two cores came to under 3 tokens/s each,
    with this to 20 and more, and one alone to the same 137.  It reads the variable when it is loaded.
    """
    if _SPINS in os.environ or "OMP_WAIT_POLICY" in os.environ:
        yield
        return
    os.environ[_SPINS] = "1000"
    try:
        yield
    finally:
        # not for the processes that we start
        os.environ.pop(_SPINS, None)


def _keep(server: object) -> None:
    """Keep a server from being torn down, by the interpreter or the C library, under its own threads.

    One reference more than there are keeps Python from stopping it.  C destructors would then run
    while it computes and crash every third process that ends in the middle of an answer: where the
    C library has on_exit (glibc), the process ends just before them, with its own status.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(server))
    if sys.platform == "win32":
        return  # it ends all other threads first
    library = ctypes.CDLL(None)
    on_exit = getattr(library, "on_exit", None)
    if on_exit is not None:
        on_exit.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        on_exit(ctypes.cast(library._exit, ctypes.c_void_p), None)


_servers: dict[tuple[Path, int, int], LlamaServer] = {}
_servers_lock = threading.Lock()


def server_for(path: Path, *, context: int = 0, threads: int = 0) -> LlamaServer:
    """Return this process's one server of a model; it has not necessarily been started.

    Args:
        path: a GGUF file.
        context: as for `LlamaServer`.
        threads: as for `LlamaServer`.
    """
    with _servers_lock:
        return _servers.setdefault(
            (path.resolve(), context, threads), LlamaServer(path, context=context, threads=threads)
        )


def _forget() -> None:
    """Begin anew in a forked child, which has none of its parent's threads."""
    global _servers_lock
    _servers_lock = threading.Lock()
    _servers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
