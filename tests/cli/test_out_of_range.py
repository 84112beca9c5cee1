"""Numbers and inputs far too large: refused in a line, instead of a fault of ours or a run without end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fakes.command import Command
from fakes.fixtures import Fake

HUGE = str(10**20)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["history", "list", "-n", HUGE], "--number must be below"),
        (["history", "prune", "--keep", HUGE, "--yes"], "--keep must be below"),
        (["batch", "in.txt", "-j", HUGE], "--jobs must be below"),
        (["batch", "in.txt", "-j", "100001"], "--jobs must be at most 100000"),
        (["bench", "-m", "fake", "-n", HUGE, "Hello"], "--requests must be below"),
        (["bench", "-m", "fake", "-j", "100001", "Hello"], "--jobs must be at most 100000"),
        (["bench", "-m", "fake", "--prompt-tokens", "10000001"], "--prompt-tokens must be at most"),
        (["--max-tokens", HUGE, "Hello"], "--max-tokens must be below"),
        (["-o", f"max_tokens={HUGE}", "Hello"], "max_tokens is too large"),
        (["--seed", HUGE, "Hello"], "seed is too large"),
        (["--retries", f"-{HUGE}", "Hello"], "--retries must not be negative"),
    ],
)
def test_a_number_out_of_range_is_refused(fake: Fake, line: list[str], said: str) -> None:
    fake("ok")
    fake.home.folder.joinpath("in.txt").write_text("Hello\n")
    run = fake.command(*line)
    assert run.status == 2 and said in run.err, run
    assert fake.provider.log() == []


def test_a_replay_too_slow_to_end_is_refused(fake: Fake) -> None:
    fake("ok")("--record", "run.jsonl", "Hello")
    run = fake.command("replay", "run.jsonl", "--speed", "1e-300")
    assert (run.status, run.out) == (2, "") and "at least 0.001" in run.err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without end")
def test_a_device_without_end_is_no_recording(run_llmstream: Command) -> None:
    run = run_llmstream("replay", "/dev/zero")
    assert run.status == 3 and "not a file or a pipe" in run.err


def test_a_line_without_end_is_refused_on_a_pipe(fake: Fake) -> None:
    fake("ok")
    write = "import os\nblock = bytes([120]) * (1 << 20)\nwhile True:\n    os.write(1, block)"
    endless = subprocess.Popen(
        [sys.executable, "-c", write], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert endless.stdout is not None
    try:
        process = fake.command.start("batch", "-", stdin=endless.stdout.fileno())
        said = process.communicate(timeout=60)[1]
    finally:
        endless.kill()
        endless.stdout.close()
        endless.wait()
    assert process.returncode == 2 and b"64 MiB" in said
