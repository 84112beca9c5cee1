"""Fixtures that every test may ask for, and the check that a test leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator

import hypothesis
import pytest

from leftovers import KINDS, Snapshot
from llmstream.foreign import background

# what an example costs depends on the machine's other work; pytest-timeout bounds each test
for name, examples in (("quick", 50), ("thorough", 500)):
    hypothesis.settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile("quick")

# a shell that starts the tests in the background has them ignore Ctrl-C, and their children too
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

pytest_plugins = ["fakes.fixtures"]


def _in_memory(folder: str = "/dev/shm", needed: int = 1 << 30) -> str | None:
    """Return a folder in memory with that many bytes free in which programs may run, if there is one."""
    if sys.platform != "linux" or not os.access(folder, os.W_OK | os.X_OK):
        return None
    found = os.statvfs(folder)
    return folder if found.f_bavail * found.f_frsize > needed and not found.f_flag & os.ST_NOEXEC else None


# what tests write and sync is gone at their end: on a disk they take a quarter longer
if "TMPDIR" not in os.environ:
    tempfile.tempdir = _in_memory()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what repeats this order of the tests: -q leaves the plugin's own line out."""
    seed = config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"order: --randomly-seed={seed}")


@pytest.fixture(scope="session", autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give this process a folder for temporary files that nobody else writes into."""
    folder = str(tmp_path_factory.mktemp("temporary"))
    tempfile.tempdir = os.environ["TMPDIR"] = folder


@pytest.fixture(scope="session", autouse=True)
def loop_of_the_process() -> None:
    """Start the loop that serves objects as long as this process lives: it is no test's leftover."""
    background.loop()


@pytest.fixture(autouse=True)
def nothing_left_behind(
    request: pytest.FixtureRequest, own_temporary_folder: None, loop_of_the_process: None
) -> Iterator[None]:
    """Fail a test that leaves a task, thread, child process, descriptor or temporary file."""
    before = Snapshot()
    yield
    shared = request.node.get_closest_marker("shares_clients") is not None
    left = before.new(("temporary files",) if shared else KINDS)
    assert not left, f"left behind: {left}"
