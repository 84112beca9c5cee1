"""Servers that are broken, hostile or slow: each has its status, its words, and its bound."""

from __future__ import annotations

import re
import subprocess

import pytest

from fakes.command import COMMAND, PATIENCE, Run
from fakes.fixtures import KEY, Fake
from fakes.scenarios import VERSE

ENGINES = pytest.mark.parametrize("engine", ["--sync", "--async"])
HARMFUL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What no terminal may be sent; the line discipline makes each newline a CR and a newline."""
BOUND = 1 << 20
"""KiB of address space in which a run must stay, whatever a server sends."""


@ENGINES
@pytest.mark.parametrize(
    ("scenario", "status", "out", "said"),
    [
        ("no-content", 9, "", "127.0.0.1"),
        ("empty-stream", 9, "", "ended"),
        ("page", 9, "", "text/html"),
        ("wrong-types", 9, "so far\n", "127.0.0.1"),
        ("no-http", 7, "", "the response is not valid HTTP"),
        ("redirect-loop", 5, "", "redirect"),
        ("redirect-file", 5, "", "redirect"),
        ("500-final", 6, "", "it is you"),
    ],
)
def test_a_servers_fault_has_its_status_and_is_told_once(
    fake: Fake, engine: str, scenario: str, status: int, out: str, said: str
) -> None:
    run = fake(scenario, more="max_retries = 0")(engine, "Hello")
    assert (run.status, run.out) == (status, out), run.err
    assert said in run.err
    assert run.err.startswith("llmstream: ") and "Traceback" not in run.err
    assert len([line for line in run.err.splitlines() if not line.startswith("  ")]) == 1
    assert len(fake.provider.log()) == 1


@pytest.mark.parametrize(
    ("adapter", "engine"),
    [
        ("openai-chat", "--async"),
        ("openai-completions", "--sync"),
        ("anthropic", "--async"),
        ("ollama", "--sync"),
    ],
)
@pytest.mark.parametrize(
    ("scenario", "status", "out", "said"),
    [
        ("ok", 0, "".join(VERSE) + "\n", ""),
        ("401", 4, "", "Incorrect API key"),
        ("error-first", 6, "", "overloaded"),
        ("failed-midway", 6, "so far\n", "the engine died"),
        ("ends-early", 9, "so far\n", "ended early"),
        ("cut", 9, "so far\n", "the answer is incomplete"),
        ("garbage", 9, "so far\n", "JSON"),
    ],
)
def test_every_dialect_ends_alike(
    fake: Fake, engine: str, adapter: str, scenario: str, status: int, out: str, said: str
) -> None:
    run = fake(scenario, adapter=adapter, more="max_retries = 0")(engine, "Hello")
    assert (run.status, run.out) == (status, out), run.err
    assert said in run.err and KEY not in run.err
    assert len(run.err.splitlines()) <= 2 and len(fake.provider.log()) == 1


@ENGINES
@pytest.mark.parametrize(
    ("scenario", "limit", "out"),
    [
        ("pings", "--timeout-first", ""),
        ("slow-head", "--timeout-first", ""),
        ("head-only", "--timeout-first", ""),
        ("text-then-pings", "--timeout-idle", "so far\n"),
    ],
)
def test_signs_of_life_are_no_progress(fake: Fake, engine: str, scenario: str, limit: str, out: str) -> None:
    run = fake(scenario, more="max_retries = 0")(engine, limit, "0.4", "Hello")
    assert (run.status, run.out) == (8, out), run.err
    assert "0.4" in run.err
    fake.provider.wait("gone")


@ENGINES
@pytest.mark.parametrize(
    ("scenario", "out"),
    [
        ("one-byte-each", "été\u2028🥤\n"),
        ("after-done", "all\n"),
        ("gzip", "pressed\n"),
        ("huge", "x" * (10 << 20) + "\n"),
    ],
)
def test_an_unusual_answer_is_a_good_one(fake: Fake, engine: str, scenario: str, out: str) -> None:
    assert fake(scenario)(engine, "Hello") == (0, out, "")


@ENGINES
@pytest.mark.parametrize(
    "scenario", ["429-date-then-ok", "503-ms-then-ok", "rst-then-ok", "error-first-then-ok"]
)
def test_what_may_be_tried_again_is_and_told(fake: Fake, engine: str, scenario: str) -> None:
    run = fake(scenario)(engine, "Hello")
    assert (run.status, run.out) == (0, "ok\n"), run.err
    assert len(fake.provider.log()) == 2
    assert "retrying in" in run.err


@pytest.mark.parametrize(("scenario", "requests"), [("429-hour", 1), ("500-final", 1), ("429-nonsense", 3)])
def test_a_server_decides_whether_it_is_asked_again(fake: Fake, scenario: str, requests: int) -> None:
    run = fake(scenario)("Hello")
    assert run.status == 6
    assert ("asks to wait 3600 s" in run.err) is (scenario == "429-hour")
    assert len(fake.provider.log()) == requests


@ENGINES
def test_a_reset_behind_the_first_token_keeps_what_had_come(fake: Fake, engine: str) -> None:
    process = fake("rst-midway").start(engine, "Hello")
    assert process.stdout and process.stderr
    assert process.stdout.read(6) == b"so far"
    fake.provider.open()
    assert process.stdout.read() == b"\n"
    assert b"127.0.0.1" in process.stderr.read()
    assert process.wait(PATIENCE) == 9
    assert len(fake.provider.log()) == 1


@ENGINES
@pytest.mark.parametrize("scenario", ["redirect-elsewhere", "hostile-redirect"])
def test_neither_key_nor_prompt_goes_to_another_origin(fake: Fake, engine: str, scenario: str) -> None:
    run = fake(scenario)(engine, "Hello")
    assert run.status == 5 and "redirect" in run.err
    assert KEY not in run.err
    assert [request["headers"]["host"].split(":")[0] for request in fake.provider.log()] == ["127.0.0.1"]


@ENGINES
@pytest.mark.parametrize(
    ("scenario", "status"), [("endless-line", 9), ("endless-head", 7), ("gzip-bomb", 9), ("endless-error", 6)]
)
def test_what_never_ends_is_given_up_in_bounded_memory(
    fake: Fake, engine: str, scenario: str, status: int
) -> None:
    fake(scenario, more="max_retries = 0")
    done = subprocess.run(
        ["sh", "-c", f'ulimit -v {BOUND} && exec "$@"', "sh", *COMMAND, engine, "Hello"],
        capture_output=True, stdin=subprocess.DEVNULL, env=fake.home.environment, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (status, b""), done.stderr
    assert len(done.stderr) < 4096 and b"Traceback" not in done.stderr


def shown(fake: Fake, scenario: str, *arguments: str) -> Run:
    """Run against a scenario on a terminal, without colours."""
    command = fake(scenario, more="max_retries = 1")
    return command.on_terminal("--color=never", *arguments, "Hello").finish()


@ENGINES
@pytest.mark.parametrize(
    "scenario",
    [
        "hostile-error",
        "hostile-midway",
        "hostile-retry",
        "hostile-page",
        "hostile-redirect",
        "hostile-data",
    ],
)
def test_a_servers_words_neither_command_a_terminal_nor_show_the_key(
    fake: Fake, engine: str, scenario: str
) -> None:
    run = shown(fake, scenario, engine, "--stats", "--debug")
    assert not HARMFUL.search(run.err)
    assert run.err.count("\r") == run.err.count("\r\n")
    assert KEY not in run.err
    assert "MARK" in run.err or scenario == "hostile-data"


@pytest.mark.parametrize("form", [["--debug"], ["--events"], ["--json"]])
@pytest.mark.parametrize("scenario", ["hostile-error", "hostile-midway", "hostile-retry"])
def test_no_form_of_output_shows_a_key_that_a_server_repeats(
    fake: Fake, scenario: str, form: list[str]
) -> None:
    run = fake(scenario, more="max_retries = 1")(*form, "Hello")
    assert "MARK" in run.err + run.out
    assert KEY not in run.err + run.out


@ENGINES
@pytest.mark.parametrize("limit", ["--timeout-first", "--timeout-total"])
def test_a_limit_that_passes_before_the_connection_is_there_holds_too(
    fake: Fake, engine: str, limit: str
) -> None:
    run = fake("slow-head", more="max_retries = 0")(engine, limit, "0.001", "Hello")
    assert (run.status, run.out) == (8, ""), run.err
