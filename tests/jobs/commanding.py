"""`llmstream batch` in this process, for the tests of jobs."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes.command import Home, Run, in_process
from jobs.conftest import Provider


def prompts(path: Path, count: int) -> Path:
    lines = [json.dumps({"id": f"q{n}", "prompt": f"{path.parent.name} {n}"}) for n in range(count)]
    path.write_text("\n".join(lines) + "\n")
    return path


def batch(provider: Provider, folder: Path, *arguments: str, more: str = "") -> Run:
    """Run the command to its end, in this process."""
    config = provider.config(folder, more)
    words = ["batch", *arguments, "--config", str(config), "-m", "p/m"]
    return in_process(words, b"", Home(folder).environment, folder)


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@contextmanager
def beside(call: Callable[[], object]) -> Iterator[None]:
    """Make a call in a thread of its own."""
    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@contextmanager
def pipe(data: bytes, *, ends: bool = True) -> Iterator[str]:
    """Give the path of a pipe that holds some data, and ends there or not before the block does."""
    reading, writing = os.pipe()
    os.write(writing, data)
    if ends:
        os.close(writing)
    try:
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)
        if not ends:
            os.close(writing)
        for thread in threading.enumerate():
            if thread.name == "llmstream-input":
                thread.join()
