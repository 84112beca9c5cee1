"""Each fault: its exit status, one clear line, what had come, and no key anywhere."""

from __future__ import annotations

import re

import pytest

from fakes.fixtures import KEY, Fake

ENGINES = pytest.mark.parametrize("engine", ["--sync", "--async"])


@pytest.mark.parametrize(
    ("scenario", "status", "said"),
    [
        ("403", 4, "this key may not do that"),
        ("400", 5, "temperature must be below 2"),
        ("404", 5, "there is no model m1"),
        ("context", 5, "maximum context length"),
        ("redirect", 5, "redirects to http://localhost:9/"),
        ("429", 6, "too many requests"),
        ("500", 6, "it broke"),
        ("html", 6, "gateway"),
        ("rst", 7, "127.0.0.1"),
    ],
)
def test_a_fault_has_its_status_and_one_clear_line(fake: Fake, scenario: str, status: int, said: str) -> None:
    run = fake(scenario, more="max_retries = 0")("Hello")
    assert (run.status, run.out) == (status, ""), run.err
    assert run.err.startswith("llmstream: ") and said in run.err
    assert len([line for line in run.err.splitlines() if not line.startswith("  ")]) == 1
    assert KEY not in run.err and "Traceback" not in run.err


@pytest.mark.parametrize("scenario", ["429", "500"])
def test_a_fault_that_may_pass_says_what_to_do(fake: Fake, scenario: str) -> None:
    assert "try again later" in fake(scenario, more="max_retries = 0")("Hello").err


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
    fake.home.write(
        'default = "p/m"\n[providers.p]\nadapter = "openai-chat"\nbase_url = "http://127.0.0.1:1/v1"\n'
        'api_key_env = ""\nmax_retries = 0\n'
    )
    run = fake.command(engine, "Hello")
    assert (run.status, run.out) == (7, "")
    assert "127.0.0.1:1" in run.err


def test_a_name_that_does_not_resolve_is_status_7(fake: Fake) -> None:
    fake.home.write(
        'default = "p/m"\n[providers.p]\nadapter = "openai-chat"\nbase_url = "http://no-such-host.invalid/v1"\n'
        'api_key_env = ""\nmax_retries = 0\n'
    )
    run = fake.command("Hello")
    assert run.status == 7 and 'check the host name ("no-such-host.invalid") and the network' in run.err


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


def test_quiet_leaves_errors_only(fake: Fake) -> None:
    assert fake("429-then-ok")("-q", "Hello").err == ""
    assert fake("401")("--quiet", "Hello").err.startswith("llmstream: ")


def test_debug_shows_where_and_still_no_key(fake: Fake) -> None:
    run = fake("401")("--debug", "Hello")
    assert run.status == 4
    assert "  AuthenticationError: " in run.err and re.search(
        r"^    /.+\.py:\d+ in \w+$", run.err, re.MULTILINE
    )
    assert KEY not in run.err
