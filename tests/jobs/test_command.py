"""`llmstream batch` as a user runs it: killed at any moment it loses nothing, and says what it does."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fakes.command import Home
from jobs.commanding import batch, objects, prompts
from jobs.conftest import Provider
from llmstream.jobs.limiter import CATCH_UP

COMMAND = [sys.executable, "-m", "llmstream", "batch"]


def test_killed_at_any_moment_nothing_is_lost_or_doubled(provider: Provider, tmp_path: Path) -> None:
    source, output = prompts(tmp_path / "in.jsonl", 700), tmp_path / "out.jsonl"
    config = provider.config(tmp_path)
    chance = random.Random(5)
    had = 0
    words = [str(source), "--output", str(output), "--config", str(config), "-m", "p/m", "-j", "8", "-q"]
    for _ in range(4):
        process = subprocess.Popen([*COMMAND, *words])
        deadline = time.monotonic() + 30
        wanted = had + chance.randrange(1, 150)
        while process.poll() is None and time.monotonic() < deadline:
            if output.exists() and output.read_bytes().count(b"\n") >= wanted:
                break
        process.kill()
        process.wait()
        data = output.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        found = [json.loads(line) for line in whole.splitlines()]
        assert len({one["id"] for one in found}) == len(found) >= had
        had = len(found)
    done = batch(provider, tmp_path, "in.jsonl", "--output", "out.jsonl", "-j", "8")
    assert done.status == 0, done.err
    answers = objects(output)
    assert {one["id"]: one["text"] for one in answers} == {
        f"q{n}": f"re: {tmp_path.name} {n}" for n in range(700)
    }
    assert len(answers) == 700
    # asked twice: at most what was under way at each kill
    assert len(provider.asked) <= 700 + 4 * 8


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_batch_that_ends_before_its_first_answer_is_not_said_to_be_done(
    provider: Provider, tmp_path: Path
) -> None:
    prompts(tmp_path / "in.jsonl", 1)
    words = ["in.jsonl", "--config", str(provider.config(tmp_path, "")), "-m", "p/m"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            env=Home(tmp_path).environment,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1 and b"No space left" in done.stderr
    assert b"nothing left" not in done.stderr and b"stopped before the first answer" in done.stderr


def test_a_run_with_nothing_to_do_changes_nothing(provider: Provider, tmp_path: Path) -> None:
    prompts(tmp_path / "in.jsonl", 5)
    assert batch(provider, tmp_path, "in.jsonl", "--output", "out.jsonl").status == 0
    before = (tmp_path / "out.jsonl").read_bytes()
    again = batch(provider, tmp_path, "in.jsonl", "--output", "out.jsonl")
    assert "nothing left to run" in again.err
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert len(provider.asked) == 5


def test_failures_are_asked_again_and_the_status_says_so(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("good\nrefuse 422\nonce 400 and then well\n")
    first = batch(provider, tmp_path, "in.txt", "--output", "out.jsonl", "--ordered")
    assert first.status == 11
    assert "2 failed" in first.err
    second = batch(provider, tmp_path, "in.txt", "--output", "out.jsonl", "--ordered")
    assert second.status == 11
    assert [one["id"] for one in objects(tmp_path / "out.jsonl")] == ["1", "2", "3"]
    assert provider.asked.count("good") == 1


def test_dry_run_counts_and_sends_nothing(provider: Provider, tmp_path: Path) -> None:
    prompts(tmp_path / "in.jsonl", 4)
    batch(provider, tmp_path, "in.jsonl", "--output", "out.jsonl")
    prompts(tmp_path / "in.jsonl", 6)
    before = (tmp_path / "out.jsonl").read_bytes()
    run = batch(provider, tmp_path, "in.jsonl", "--output", "out.jsonl", "--dry-run")
    assert run.status == 0
    said = run.out
    for figure in ("prompts: 6", "already answered: 4", "still to run: 2", "p/m: 6"):
        assert figure in said
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert len(provider.asked) == 4


def test_dry_run_makes_no_file(provider: Provider, tmp_path: Path) -> None:
    prompts(tmp_path / "in.jsonl", 2)
    assert batch(provider, tmp_path, "in.jsonl", "--output", "out.jsonl", "--dry-run").status == 0
    assert not (tmp_path / "out.jsonl").exists()


def test_the_configurations_limits_hold_and_flags_beat_them(provider: Provider, tmp_path: Path) -> None:
    prompts(tmp_path / "in.jsonl", 4)
    began = time.monotonic()
    run = batch(provider, tmp_path, "in.jsonl", "--rpm", "150", more="limits = { rpm = 1 }\n")
    assert run.status == 0
    # three gaps of 0.4 s, less what a late timer may make good
    assert 1.2 - CATCH_UP <= time.monotonic() - began < 30


@pytest.mark.parametrize("flags", [["--deferred"], ["--wait"], ["--fresh"]])
def test_flags_that_need_others_say_so(provider: Provider, tmp_path: Path, flags: list[str]) -> None:
    prompts(tmp_path / "in.jsonl", 1)
    run = batch(provider, tmp_path, "in.jsonl", *flags)
    assert run.status == 2
    assert flags[0] in run.err
    assert provider.asked == []


def test_a_wrong_line_is_told_with_its_file_and_what_it_has(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("name,age\nAnn,3\nBob,4\n")
    run = batch(provider, tmp_path, "people.csv")
    assert run.status == 2
    first, fields, remedy, count = run.err.splitlines()
    assert first == 'llmstream: people.csv, line 2: has neither "prompt" nor "messages"'
    assert "name, age" in fields and "{name}" in remedy and "2 lines" in count
    assert provider.asked == []
