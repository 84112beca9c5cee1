"""Each fault: its exit status, one clear line, what had come, and no key anywhere."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from fakes.command import COMMAND
from fakes.fixtures import KEY, Fake

FULL = Path("/dev/full")
ENGINES = pytest.mark.parametrize("engine", ["--sync", "--async"])


@ENGINES
@pytest.mark.parametrize(
    ("scenario", "status", "out", "said"),
    [
        ("401", 4, "", "fake"),
        ("403", 4, "", "this key may not do that"),
        ("400", 5, "", "temperature must be below 2"),
        ("404", 5, "", "there is no model m1"),
        ("context", 5, "", "maximum context length"),
        ("redirect", 5, "", "redirects to http://localhost:9/"),
        ("429", 6, "", "too many requests"),
        ("500", 6, "", "it broke"),
        ("html", 6, "", "gateway"),
        ("rst", 7, "", "127.0.0.1"),
        ("garbage", 9, "so far\n", "127.0.0.1"),
        ("ends-early", 9, "so far\n", "127.0.0.1"),
        ("cut", 9, "so far\n", "127.0.0.1"),
        ("failed-midway", 6, "so far\n", "the engine died"),
    ],
)
def test_a_fault_has_its_status_and_one_clear_line(
    fake: Fake, engine: str, scenario: str, status: int, out: str, said: str
) -> None:
    run = fake(scenario, more="max_retries = 0")(engine, "Hello")
    assert (run.status, run.out) == (status, out), run.err
    assert run.err.startswith("llmstream: ") and said in run.err
    assert len([line for line in run.err.splitlines() if not line.startswith("  ")]) == 1
    assert KEY not in run.err and "Traceback" not in run.err


@ENGINES
@pytest.mark.parametrize(
    ("scenario", "limit", "out"),
    [
        ("silent", "--timeout-first", ""),
        ("stall", "--timeout-idle", "so far\n"),
        ("silent", "--timeout-total", ""),
        ("stall", "--timeout-total", "so far\n"),
    ],
)
def test_a_limit_that_passes_is_status_8_and_closes_the_connection(
    fake: Fake, engine: str, scenario: str, limit: str, out: str
) -> None:
    run = fake(scenario, more="max_retries = 0")(engine, limit, "0.3", "Hello")
    assert (run.status, run.out) == (8, out), run.err
    assert "0.3" in run.err
    fake.provider.wait("gone")


@ENGINES
def test_nobody_listening_is_status_7(fake: Fake, engine: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    fake.home.write(
        f'default = "p/m"\n[providers.p]\nadapter = "openai-chat"\nbase_url = "http://127.0.0.1:{port}/v1"\n'
        'api_key_env = ""\nmax_retries = 0\n'
    )
    run = fake.command(engine, "Hello")
    assert (run.status, run.out) == (7, "")
    assert f"127.0.0.1:{port}" in run.err


def test_a_name_that_does_not_resolve_is_status_7(fake: Fake) -> None:
    fake.home.write(
        'default = "p/m"\n[providers.p]\nadapter = "openai-chat"\nbase_url = "http://no-such-host.invalid/v1"\n'
        'api_key_env = ""\nmax_retries = 0\n'
    )
    run = fake.command("Hello")
    assert run.status == 7 and "no-such-host.invalid" in run.err


@ENGINES
def test_a_retry_is_told_and_succeeds(fake: Fake, engine: str) -> None:
    run = fake("429-then-ok")(engine, "Hello")
    assert run.status == 0 and run.out.startswith("Bubbles")
    assert re.search(r"retrying in \d\.\d s \(attempt 2 of 3\): .* too many requests", run.err)
    assert len(fake.provider.log()) == 2


@pytest.mark.parametrize(
    ("arguments", "requests"), [(["--retries", "0"], 1), (["--retries", "1"], 2), ([], 3)]
)
def test_retries_are_counted(fake: Fake, arguments: list[str], requests: int) -> None:
    run = fake("429")(*arguments, "Hello")
    assert run.status == 6
    assert len(fake.provider.log()) == requests


@pytest.mark.parametrize("scenario", ["ends-early", "cut", "garbage", "400"])
def test_what_was_shown_or_refused_is_not_tried_again(fake: Fake, scenario: str) -> None:
    fake(scenario)("Hello")
    assert len(fake.provider.log()) == 1


@ENGINES
def test_a_fallback_takes_over_before_the_first_chunk_only(fake: Fake, engine: str) -> None:
    table = fake.provider.table("ok", name="second")
    run = fake("401", more=table)(engine, "--fallback", "second/m2", "Hello")
    assert run.status == 0 and run.out.startswith("Bubbles")
    assert "falling back to second/m2" in run.err
    run = fake("ends-early", more=table)(engine, "--fallback", "second/m2", "Hello")
    assert (run.status, run.out) == (9, "so far\n")


@ENGINES
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_run_and_the_request(
    fake: Fake, engine: str, number: signal.Signals, status: int
) -> None:
    process = fake("stall").start(engine, "--stats", "Hello")
    assert process.stdout and process.stderr
    assert process.stdout.read(6) == b"so far"
    process.send_signal(number)
    assert process.stdout.read() == b"\n"
    said = process.stderr.read()
    assert (said.count(b"\n"), said.endswith(b"finish cancelled\n")) == (1, True)
    assert process.wait(30) == status
    fake.provider.wait("gone")


@ENGINES
def test_ctrl_c_on_a_terminal_leaves_the_answer_on_a_line_of_its_own(fake: Fake, engine: str) -> None:
    terminal = fake("stall").on_terminal(engine, "Hello")
    terminal.wait_for("so far")
    terminal.type("\x03")
    run = terminal.finish()
    assert run.status == 130
    assert run.out.endswith("so far^C\r\n") or run.out.endswith("so far\r\n")


@ENGINES
def test_a_reader_who_left_ends_the_run_in_silence(fake: Fake, engine: str) -> None:
    process = fake("endless").start(engine, "Hello")
    assert process.stdout and process.stderr
    assert process.stdout.readline() == b"again and again\n"
    process.stdout.close()
    assert process.wait(30) == 141
    assert process.stderr.read() == b""
    fake.provider.wait("gone")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_a_full_disk_is_status_1_and_says_so(fake: Fake) -> None:
    with FULL.open("wb") as full:
        run = subprocess.run(
            [*COMMAND, "Hello"], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
            env=fake("ok").home.environment, check=False, timeout=60,
        )  # fmt: skip
    assert run.returncode == 1
    assert b"No space left" in run.stderr


def test_quiet_leaves_errors_only(fake: Fake) -> None:
    assert fake("429-then-ok")("-q", "Hello").err == ""
    assert fake("401")("--quiet", "Hello").err.startswith("llmstream: ")


def test_debug_shows_where_and_still_no_key(fake: Fake) -> None:
    run = fake("401")("--debug", "Hello")
    assert run.status == 4
    assert "Traceback" in run.err and KEY not in run.err


@pytest.mark.parametrize(("redirection", "status"), [(">&-", 1), ("<&-", 0), ("2>&-", 0)])
def test_a_closed_stream_is_no_riddle(fake: Fake, redirection: str, status: int) -> None:
    fake("ok")
    done = subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", *COMMAND, "Hello"],
        capture_output=True, env=fake.home.environment, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == status
    assert b"Traceback" not in done.stderr
    assert (b"standard output is closed" in done.stderr) is (status == 1)


def test_twenty_runs_at_once_all_end_well(fake: Fake) -> None:
    command = fake("ok")
    running = [command.start("Hello") for _ in range(20)]
    for process in running:
        assert process.stdout
        assert process.stdout.read().startswith(b"Bubbles")
        assert process.wait(60) == 0
