"""What is left when all else failed: one line for a fault of ours, and signals that end a run at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fakes.command import COMMAND, Command
from fakes.fixtures import Fake
from llmstream.cli import run
from llmstream.cli.commands import doctor
from llmstream.cli.signals import Signals


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command with a fault, whose message repeats what a stranger wrote."""

    def fail(*_: object) -> int:
        raise ZeroDivisionError("so \x1b[31mred\x07")

    monkeypatch.setattr(doctor, "run", fail)


def test_a_fault_of_ours_is_one_line_that_harms_no_terminal(run_llmstream: Command, broken: None) -> None:
    found = run_llmstream("doctor")
    assert found.status == 1 and found.out == ""
    assert "ZeroDivisionError" in found.err and "report" in found.err and "--debug" in found.err
    assert "Traceback" not in found.err and "\x1b" not in found.err and "\x07" not in found.err


def test_its_traceback_is_shown_when_asked_for(run_llmstream: Command, broken: None) -> None:
    found = run_llmstream("doctor", "--debug")
    assert found.status == 1 and "Traceback" in found.err and "test_last_resort.py" in found.err


def test_it_is_told_on_standard_error_before_there_is_anything_else(
    broken: None, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor"]) == 1
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.fixture
def handlers() -> Iterator[None]:
    """Puts this process's own handlers back."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_a_signal_that_was_ignored_at_the_start_stays_so(handlers: None) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Signals().install()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to send")
def test_the_second_signal_ends_a_run_on_the_spot(fake: Fake) -> None:
    fake("endless")
    with subprocess.Popen(
        [*COMMAND, "Hello"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=fake.home.environment,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.read(5) == b"again"
        # nobody reads any further: the first alone would wait for that a while
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(30) == 130
