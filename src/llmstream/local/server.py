"""Run llama.cpp in this process, as a server on a loopback port with a key that only we have.

This makes a local model an ordinary OpenAI-compatible endpoint, with the same code, the same limits, and
the same cancellation by closing the connection.

A server runs until the process ends. Its own stop waits up to 30 s for answers in flight, and for ever
if the server has just started to listen (xllamacpp 2026.10, measured). Because the cleanup of Python
and of the C library would stop it, or free memory that its threads use, `_keep` prevents both. While a
model loads, llama.cpp holds the interpreter's lock, and other threads and Ctrl-C wait.
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
"""Default context in tokens, because some models' own would take tens of gigabytes."""
_SMALL: Final = 1 << 30  # bytes of a model that fits on any graphics card
_SPINS: Final = "GOMP_SPINCOUNT"


class LlamaServer:
    """One model, loaded at its first use.

    Args:
        path: a GGUF file.
        context: size of the context in tokens; 0 for the model's own, but 8192 at most.
        threads: number of threads; 0 for llama.cpp's default.
    """

    def __init__(self, path: Path, *, context: int = 0, threads: int = 0) -> None:
        self._path = path
        self._context = context
        self._threads = threads
        self._lock = threading.Lock()
        self._started: tuple[str, Secret] | None = None

    def start(self) -> tuple[str, Secret]:
        """Load the model unless it is loaded; may be called repeatedly and from any thread.

        Returns:
            The URL without a path, such as ``http://127.0.0.1:40123``, and its key.

        Raises:
            MissingExtra: xllamacpp is not installed.
            LocalModelError: the file can't be loaded as a model.
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
            # a version without one of these needs no setting for it
            if hasattr(params, name):
                setattr(params, name, value)
        if self._threads:
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._threads
        try:
            server = _make(xllamacpp, params)
        except RuntimeError as error:
            raise LocalModelError(
                f"llama.cpp can't load {self._path}: it is cut off, damaged, of a kind that this version "
                "does not know, or too large for the memory",
                hint="to download it again, delete the file first; a smaller `context` takes less memory",
            ) from error
        return str(server.listening_address), Secret(key, "key of the local model")

    def _settings(self) -> dict[str, object]:
        return {
            "verbosity": -1,  # no output, not even on failure
            "warmup": False,
            "model_alias": {self._path.stem},  # otherwise answers contain the path on this machine
            "ui": False,
            "endpoint_slots": False,  # it would show the prompts
            "offline": True,
            # the search for what fits on the graphics card takes a third of a small model's loading time
            "fit_params": self._path.stat().st_size > _SMALL,
        }


class _Listening(Protocol):
    """The part of xllamacpp.Server that is used here."""

    listening_address: str


_alive: list[list[_Listening]] = []


def _make(xllamacpp: ModuleType, params: object) -> _Listening:
    """Start a server that is never stopped.

    A Ctrl-C during loading is raised just when the server exists, before it is assigned; it would then
    be stopped, and hang. So it is appended to a list without any Python bytecode in between.
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
    """Return the module xllamacpp, which contains llama.cpp.

    Raises:
        MissingExtra: it is not installed, or can't be loaded on this machine.
    """
    try:
        with _brief_spinning():
            import xllamacpp
    except ImportError as error:
        broken = (
            "is not installed" if isinstance(error, ModuleNotFoundError) else f"can't be loaded ({error})"
        )
        raise MissingExtra(
            f"the local model needs xllamacpp, which {broken}",
            hint="pip install 'llmstream-cli[local]'",
        ) from error
    module: ModuleType = xllamacpp
    return module


@contextmanager
def _brief_spinning() -> Generator[None, None, None]:
    """Let llama.cpp's threads spin only briefly while they wait for each other.

    By default GNU OpenMP spins for milliseconds, which blocks the core that another thread needs when
    the machine is busy: three processes on two cores reached under 3 tokens/s each, with this setting
    20 and more, and one alone 137 either way. OpenMP reads the variable when it is loaded.
    """
    if _SPINS in os.environ or "OMP_WAIT_POLICY" in os.environ:
        yield
        return
    os.environ[_SPINS] = "1000"
    try:
        yield
    finally:
        # not for processes started by us
        os.environ.pop(_SPINS, None)


def _keep(server: object) -> None:
    """Keep the interpreter and the C library from destroying a server while its threads run.

    An extra reference keeps Python from stopping it. C destructors would still run while it computes,
    and crash every third process that ends in the middle of an answer: where the C library has on_exit
    (glibc), the process ends just before them, with its own status.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(server))
    if sys.platform == "win32":
        return  # Windows ends all other threads first
    library = ctypes.CDLL(None)
    on_exit = getattr(library, "on_exit", None)
    if on_exit is not None:
        on_exit.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        on_exit(ctypes.cast(library._exit, ctypes.c_void_p), None)


_servers: dict[tuple[Path, int, int], LlamaServer] = {}
_servers_lock = threading.Lock()


def server_for(path: Path, *, context: int = 0, threads: int = 0) -> LlamaServer:
    """Return this process's only server of a model with these settings; it may not be started yet.

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
    """Start afresh in a forked child, which has none of its parent's threads."""
    global _servers_lock
    _servers_lock = threading.Lock()
    _servers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
