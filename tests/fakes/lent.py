"""Servers that a command has left behind for a while, which a test ends."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def lent(home: Path) -> list[int]:
    """Return the processes that lend a model from a home folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile
            continue
        if b"llmstream.local.lent" in words and any(str(home).encode() in word for word in words):
            found.append(int(folder.name))
    return found


def end_lent(home: Path) -> int:
    """End them, and return how many there were."""
    processes = lent(home)
    for process in processes:
        os.kill(process, signal.SIGKILL)
        # where orphans are given to the process that runs the tests
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process, 0)
    return len(processes)


def with_model(home: Path, model: Path) -> None:
    """Put the model into a home's folder of models."""
    folder = home / "data" / "llmstream" / "models"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "smollm2.gguf").symlink_to(model)
