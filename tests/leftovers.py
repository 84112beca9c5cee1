"""What a test has left behind: tasks, threads, child processes, descriptors, temporary files."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Container
from pathlib import Path
from typing import Final

OWN_FOR_GOOD: Final = ("llmstream", "embedded", "fsspec", "ThreadPoolExecutor", "AnyIO")
"""Threads that this process keeps once they were needed begin with one of these names."""
KINDS: Final = ("tasks", "threads", "children", "descriptors", "temporary files")
PATIENCE: Final = 2.0
"""Seconds in which what is just ending has ended."""


class Snapshot:
    """What there is of each kind at one moment; made before a test, it can tell what is new after it."""

    def __init__(self) -> None:
        # what is older is nobody's leftover, and is not looked at again
        gc.freeze()
        self._before = _found()
        self._for_good = _for_good()

    def new(self, kinds: Container[str]) -> dict[str, list[str]]:
        """Return what has come of these kinds and not gone, once it has had time to go."""
        _let_go()
        if _for_good() != self._for_good:
            return {}
        deadline = time.monotonic() + PATIENCE
        while True:
            gc.collect()
            found = {
                kind: sorted(now - self._before[kind]) for kind, now in _found().items() if kind in kinds
            }
            left = {kind: names for kind, names in found.items() if names}
            if not left or time.monotonic() > deadline:
                return left
            threading.Event().wait(0.02)


def _let_go() -> None:
    """Close what this process keeps open for its next run."""
    if pool := sys.modules.get("llmstream.transport.http.pool"):
        pool.POOL.close()


def _for_good() -> tuple[int, int]:
    """Return how many embedded models and loops for objects run: they live as long as the process."""
    server = sys.modules.get("llmstream.local.server")
    background = sys.modules.get("llmstream.foreign.background")
    return len(server._servers) if server else 0, len(background._loops) if background else 0


def _found() -> dict[str, set[str]]:
    return {
        "tasks": _tasks(),
        "threads": {
            f"{thread.name} {thread.ident}"
            for thread in threading.enumerate()
            if not thread.name.startswith(OWN_FOR_GOOD)
        },
        "children": _children(),
        "descriptors": _descriptors(),
        "temporary files": _temporary(),
    }


def _tasks() -> set[str]:
    # an ended loop's tasks are found here too, as long as something holds them
    return {repr(one) for one in gc.get_objects() if type(one) is asyncio.Task and not one.done()}


def _children() -> set[str]:
    if sys.platform != "linux":
        return set()
    found = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found |= set((task / "children").read_text("ascii").split())
        except OSError:
            continue
    return found


def _descriptors() -> set[str]:
    if sys.platform != "linux":
        return set()
    found = set()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  # one call for each test
        try:
            target = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
        except OSError:
            continue
        # devices are standard input and the like; the list itself is one of them for a moment
        if not target.startswith(("/dev/", "/proc/")):
            found.add(f"{name} -> {target}")
    return found


def _temporary() -> set[str]:
    return {one for one in os.listdir(tempfile.gettempdir()) if not one.startswith(("pytest", "ray"))}  # noqa: PTH208
