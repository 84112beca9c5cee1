"""What happens to the process: signals, readers that leave, full disks, odd homes and terminals."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from fakes.command import COMMAND, PATIENCE, Command, Home
from fakes.fixtures import KEY, Fake
from fakes.scenarios import VERSE
from transport.raw_server import serving

FULL = Path("/dev/full")
ANSWER = "".join(VERSE) + "\n"
ENGINES = pytest.mark.parametrize("engine", ["--sync", "--async"])


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


@pytest.mark.parametrize("command", ["models", "pull"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_what_asks_for_something_else(
    home: Home, run_llmstream: Command, command: str, number: signal.Signals, status: int
) -> None:
    asked = threading.Event()

    def begins(connection: socket.socket, _: int) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nGGUF")
        asked.set()
        connection.recv(1)
        return False

    with serving(begins) as server:
        address = f"http://127.0.0.1:{server.port}/v1"
        home.write(
            f'[providers.acme]\nadapter = "openai-chat"\nbase_url = "{address}"\nmodel = "m"\napi_key = "{KEY}"\n'
        )
        process = run_llmstream.start(command, "acme" if command == "models" else f"{address}/big.gguf")
        assert asked.wait(PATIENCE)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out, err.count(b"\n")) == (status, b"", command == "pull"), err
        assert b"Traceback" not in err and not [*home.folder.rglob("big.gguf")]
        assert server.left.acquire(timeout=PATIENCE)


@ENGINES
def test_ctrl_c_on_a_terminal_leaves_the_answer_on_a_line_of_its_own(fake: Fake, engine: str) -> None:
    terminal = fake("stall").on_terminal(engine, "Hello")
    terminal.wait_for("so")
    terminal.type("\x03")
    run = terminal.finish()
    assert run.status == 130
    assert run.out.replace("^C", "").endswith("so far\r\n")


@ENGINES
def test_a_reader_who_left_ends_the_run_in_silence(fake: Fake, engine: str) -> None:
    process = fake("endless").start(engine, "Hello")
    assert process.stdout and process.stderr
    assert process.stdout.readline() == b"again and again\n"
    process.stdout.close()
    assert process.wait(30) == 141
    assert process.stderr.read() == b""
    fake.provider.wait("gone")


@ENGINES
def test_a_reader_who_reads_no_more_holds_nobody_up(fake: Fake, engine: str) -> None:
    process = fake("endless").start(engine, "Hello")
    assert process.stdout
    assert process.stdout.readline() == b"again and again\n"
    process.terminate()
    assert process.wait(10) == 143
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


@pytest.mark.parametrize("command", ["providers", "--help"])
def test_a_list_for_a_closed_output_says_the_same(fake: Fake, command: str) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *COMMAND, command],
        capture_output=True, env=fake.home.environment, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"standard output is closed" in done.stderr and b"descriptor" not in done.stderr


def test_twenty_runs_at_once_all_end_well(fake: Fake) -> None:
    command = fake("ok")
    running = [command.start("Hello") for _ in range(20)]
    for process in running:
        assert process.stdout
        assert process.stdout.read().startswith(b"Bubbles")
        assert process.wait(60) == 0


@ENGINES
@pytest.mark.parametrize("scenario", ["silent", "slow-head", "429-minute"])
def test_ctrl_c_ends_every_kind_of_waiting(fake: Fake, engine: str, scenario: str) -> None:
    process = fake(scenario).start(engine, "Hello")
    assert process.stdout and process.stderr
    if scenario == "429-minute":
        assert b"retrying in 30" in process.stderr.readline()
    fake.provider.wait("request")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert (process.stdout.read(), process.stderr.read()) == (b"", b"")


@ENGINES
@pytest.mark.parametrize("key", ["\x03", ""])
def test_a_terminal_is_left_as_it_was_found(fake: Fake, engine: str, key: str) -> None:
    terminal = fake("stall" if key else "ok").on_terminal(engine, "--reasoning=show", "Hello")
    before = terminal.settings()
    if key:
        terminal.wait_for("so")
        terminal.type(key)
    after, run = terminal.settings_at_end()
    assert after == before
    assert run.status == (130 if key else 0)
    assert "\x1b" not in run.out


@ENGINES
def test_a_terminal_that_goes_away_ends_the_run_and_the_request(fake: Fake, engine: str) -> None:
    terminal = fake("stall").on_terminal(engine, "Hello")
    terminal.wait_for("so")
    terminal.hang_up()
    assert terminal.process.wait(PATIENCE) == 129
    fake.provider.wait("gone")


def test_a_change_of_the_terminals_size_is_no_matter(fake: Fake) -> None:
    terminal = fake("gate").on_terminal("--no-md", "Hello")
    terminal.wait_for("first")
    terminal.resize(7, 5)
    fake.provider.open()
    run = terminal.finish()
    assert (run.status, run.out.split()) == (0, ["first", "second"])


@pytest.mark.parametrize("folder", [None, "", "/nonexistent", "/proc"])
def test_a_home_that_is_none_is_no_failure(fake: Fake, folder: str | None) -> None:
    """Nobody, not even root, can make a folder in /proc."""
    given = fake.home.folder / "given.toml"
    given.write_text(f'default = "fake"\n{fake.provider.table()}')
    given.chmod(0o600)
    environment = {key: fake.home.environment[key] for key in ("PATH", "TERM")}
    if folder is not None:
        environment["HOME"] = folder
    done = subprocess.run(
        [*COMMAND, "--config", str(given)], input=b"Hello", capture_output=True, env=environment, timeout=PATIENCE,
        check=False, cwd="/",
    )  # fmt: skip
    assert (done.returncode, done.stdout.decode()) == (0, ANSWER)
    # nothing is told but that the run could not be kept, where no folder can be made
    assert all(b"not saved in the history" in line for line in done.stderr.splitlines())


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_knows_nothing_gets_no_escape_sequence(fake: Fake, term: str) -> None:
    run = fake("thinking").on_terminal("--stats", "Hello", env={"TERM": term, "COLUMNS": "many"}).finish()
    assert run.status == 0
    assert "\x1b" not in run.out
