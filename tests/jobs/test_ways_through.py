"""The ways through `llmstream batch`: from a file or a pipe, into FILE, a stream or a terminal, in order or not."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from fakes.command import Home
from jobs.commanding import batch, beside, objects, pipe, prompts
from jobs.conftest import Provider
from llmstream.cli import run as command
from llmstream.cli.environment import Environment
from llmstream.jobs import work
from llmstream.jobs.results import ResultFile
from llmstream.render import job
from llmstream.render.base import Writer


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def shown_until(descriptor: int, text: bytes) -> bytes:
    """Read until a text has come, or nothing more does."""
    shown = b""
    while text not in shown and (data := os.read(descriptor, 4096)):
        shown += data
    return shown


def on_streams(provider: Provider, folder: Path, out: int, err: int, *arguments: str) -> int:
    """Run the command with other streams and return its status."""
    environment = {**Home(folder).environment, "LC_ALL": "C.UTF-8"}
    surroundings = Environment(Writer(out), Writer(err), environment)
    words = ["batch", str(folder / arguments[0]), *arguments[1:], "--config", str(provider.config(folder))]
    return command([*words, "-m", "p/m"], surroundings)


def test_answers_go_to_standard_output_as_they_end(provider: Provider, tmp_path: Path) -> None:
    name = tmp_path.name
    (tmp_path / "in.txt").write_text(f"gate {name}\nopen {name}\n")
    run = batch(provider, tmp_path, "in.txt")
    assert run.status == 0
    assert [one["id"] for one in lines(run.out)] == ["2", "1"]
    assert "2 answered, 0 failed" in run.err


@pytest.mark.parametrize("through", ["file", "pipe"])
def test_in_order_an_answer_waits_for_those_before_it(
    provider: Provider, tmp_path: Path, through: str
) -> None:
    name = tmp_path.name
    data = f"gate {name}\nmeanwhile\nopen {name}\n"
    (tmp_path / "in.txt").write_text(data)
    with pipe(data.encode()) as path:
        run = batch(provider, tmp_path, "in.txt" if through == "file" else path, "--ordered")
    assert [one["id"] for one in lines(run.out)] == ["1", "2", "3"]


def test_what_is_no_longer_in_the_input_comes_last(provider: Provider, tmp_path: Path) -> None:
    prompts(tmp_path / "in.jsonl", 3)
    batch(provider, tmp_path, "in.jsonl", "--output", "out.jsonl", "-j", "1")
    wanted = [{"id": id_, "prompt": id_} for id_ in ("new", "q2", "q1")]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, wanted)))
    assert batch(provider, tmp_path, "in.jsonl", "--output", "out.jsonl", "--ordered").status == 0
    assert [one["id"] for one in objects(tmp_path / "out.jsonl")] == ["new", "q2", "q1", "q0"]
    before = (tmp_path / "out.jsonl").read_bytes()
    assert batch(provider, tmp_path, "in.jsonl", "--output", "out.jsonl", "--ordered").status == 0
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_a_pipe_is_asked_as_it_comes_and_wrong_lines_fail_alone(provider: Provider, tmp_path: Path) -> None:
    data = b'one\n{"id": 7, "prompt": "x"}\n{"prompt": ""}\n{broken\n{"id": 7, "prompt": "y"}\nlast'
    with pipe(data) as path:
        run = batch(provider, tmp_path, path, "--ordered")
    assert run.status == 11
    found = lines(run.out)
    assert [one["id"] for one in found] == ["1", 7, "3", "4", "5", "6"]
    assert [one["error"] is None for one in found] == [True, True, False, False, False, True]
    assert "occurs twice" in found[4]["error"]["message"]


def test_a_pipe_is_gone_on_with_where_the_last_run_stopped(provider: Provider, tmp_path: Path) -> None:
    name = tmp_path.name
    for data in (f"a {name}\nrefuse 422 {name}\n", f"a {name}\nb {name}\nb {name}\n"):
        with pipe(data.encode()) as path:
            batch(provider, tmp_path, path, "--output", "out.jsonl", "--ordered")
    assert [one["id"] for one in objects(tmp_path / "out.jsonl")] == ["1", "2", "3"]
    assert provider.asked == [f"a {name}", f"refuse 422 {name}", f"b {name}", f"b {name}"]


def test_a_pipe_that_stays_open_holds_up_no_end(provider: Provider, tmp_path: Path) -> None:
    with pipe(b"refuse 401\n", ends=False) as path:
        run = batch(provider, tmp_path, path)
    assert run.status != 0
    assert "not this one" in run.err
    assert [one["error"]["status"] for one in lines(run.out)] == [401]


def test_a_pipe_can_not_be_counted_beforehand(provider: Provider, tmp_path: Path) -> None:
    with pipe(b"x\n") as path:
        run = batch(provider, tmp_path, path, "--dry-run")
    assert run.status == 2
    assert "a file, not a pipe" in run.err


def test_the_reader_of_the_answers_may_leave(provider: Provider, tmp_path: Path) -> None:
    prompts(tmp_path / "in.jsonl", 3)
    reading, writing = os.pipe()
    os.close(reading)
    with (tmp_path / "err").open("wb") as err:
        assert on_streams(provider, tmp_path, writing, err.fileno(), "in.jsonl") == 141
    os.close(writing)
    assert (tmp_path / "err").read_bytes() == b""


def test_a_row_on_the_terminal_shows_how_it_stands(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(f"first\ngate {tmp_path.name}\n")
    ours, theirs = os.openpty()
    shown: list[bytes] = []

    def watch() -> None:
        shown.append(shown_until(ours, b"1/2 done"))
        provider.open(tmp_path.name)
        shown.append(shown_until(ours, b"2 answered"))

    with (tmp_path / "out").open("wb") as out, beside(watch):
        status = on_streams(provider, tmp_path, out.fileno(), theirs, "in.txt")
        os.close(theirs)
    os.close(ours)
    assert status == 0
    assert b"\r\x1b[K" in shown[1]
    assert len(objects(tmp_path / "out")) == 2


def test_elsewhere_a_line_says_it_from_time_to_time(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = tmp_path.name
    (tmp_path / "in.txt").write_text(f"first\ngate {name}\n")
    monkeypatch.setattr(job.Lines, "every", 0.01)
    reading, writing = os.pipe()
    said: list[bytes] = []

    def watch() -> None:
        said.append(shown_until(reading, b"1/2 done"))
        provider.open(name)

    with (tmp_path / "out").open("wb") as out, beside(watch):
        status = on_streams(provider, tmp_path, out.fileno(), writing, "in.txt")
        os.close(writing)
    os.close(reading)
    assert status == 0
    assert said[0].startswith(b"llmstream: ")


def test_what_was_written_is_brought_to_the_disk_while_others_are_waited_for(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = tmp_path.name
    monkeypatch.setattr(work, "SYNC_EVERY", 0.01)
    sync = ResultFile.sync

    def noticed(file: ResultFile) -> None:
        sync(file)
        provider.open(name)

    monkeypatch.setattr(ResultFile, "sync", noticed)
    (tmp_path / "in.txt").write_text(f"first\ngate {name}\n")
    assert batch(provider, tmp_path, "in.txt", "--output", "out.jsonl").status == 0
    assert len(objects(tmp_path / "out.jsonl")) == 2


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_what_had_come_is_kept(
    provider: Provider, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    name = tmp_path.name
    (tmp_path / "in.txt").write_text(f"first {name}\ngate {name}\n")

    def interrupt() -> None:
        provider.wait(name)
        while not (tmp_path / "out.jsonl").read_bytes().endswith(b"\n"):
            pass
        os.kill(os.getpid(), number)

    with beside(interrupt):
        run = batch(provider, tmp_path, "in.txt", "--output", "out.jsonl")
    provider.open(name)
    assert run.status == status
    assert "1 answered, 0 failed" in run.err
    assert [one["id"] for one in objects(tmp_path / "out.jsonl")] == ["1"]
    assert batch(provider, tmp_path, "in.txt", "--output", "out.jsonl").status == 0
    assert provider.asked.count(f"first {name}") == 1


def test_quiet_says_nothing(provider: Provider, tmp_path: Path) -> None:
    prompts(tmp_path / "in.jsonl", 2)
    assert batch(provider, tmp_path, "in.jsonl", "-q").err == ""


def test_a_signal_ends_the_wait_for_more_input(provider: Provider, tmp_path: Path) -> None:
    def interrupt() -> None:
        while not ((tmp_path / "out").exists() and (tmp_path / "out").read_bytes()):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    with pipe(b"one\n", ends=False) as path, beside(interrupt):
        run = batch(provider, tmp_path, path, "--output", "out")
    assert run.status == 130
    assert "1 answered, 0 failed" in run.err


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
def test_a_signal_that_was_ignored_at_the_start_stays_ignored(provider: Provider, tmp_path: Path) -> None:
    name = tmp_path.name
    (tmp_path / "in.txt").write_text(f"gate {name}\n")

    def hang_up() -> None:
        provider.wait(name)
        os.kill(os.getpid(), signal.SIGHUP)
        provider.open(name)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with beside(hang_up):
            assert batch(provider, tmp_path, "in.txt").status == 0
    finally:
        signal.signal(signal.SIGHUP, before)
