"""Servers of the system's packages, each with a configuration of its own on loopback, for one test."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

PATIENCE: Final = 10.0
"""Seconds in which a server listens, and in which it ends."""
NOBODY: Final = 1
"""A port of loopback that nobody listens on."""
LOOK: Final = 0.01
"""Seconds between two looks whether a server listens already: none of them tells."""


def program(name: str) -> str:
    """Return the path of a server; skips the test where there is none.

    Where CI's own package manager could have installed it, a missing one is a failure.
    """
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if path is None:
        if _installed_by_ci():
            pytest.fail(f"{name} is not installed: apt-get install {name}")
        pytest.skip(f"{name} is not installed")
    return path


def _installed_by_ci() -> bool:
    return (
        os.environ.get("CI", "").lower() in ("1", "true")
        and os.geteuid() == 0
        and Path("/etc/debian_version").exists()
    )


def free_port() -> int:
    """Return a free port of loopback, of those that the system gives to nobody who asks for any port."""
    while True:
        port = random.randrange(20_000, 32_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


@contextmanager
def running(command: Sequence[str | Path], port: int, log: Path) -> Iterator[None]:
    """Run a server until the block ends; it is ended by SIGTERM and waited for.

    Args:
        command: that keeps it in the foreground.
        port: it listens there once it is ready.
        log: gets what it prints; a failed start shows it.
    """
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        _wait_until_it_listens(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(LOOK)
    pytest.fail(f"{process.args!r} does not listen on port {port}: {log.read_text('utf-8', 'replace')}")
