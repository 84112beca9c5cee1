"""Keys, addresses and programs that can't be right: one clear line, no traceback, no key."""

from __future__ import annotations

import json

import pytest

from fakes.command import Run
from fakes.fixtures import KEY, Fake


def one_clear_line(run: Run, status: int, said: str) -> None:
    """Check what every failure has in common."""
    assert (run.status, run.out) == (status, ""), run
    assert run.err.startswith("llmstream: ") and said in run.err, run.err
    assert len([line for line in run.err.splitlines() if not line.startswith("  ")]) == 1
    assert KEY not in run.err and "Traceback" not in run.err


@pytest.mark.parametrize("key", [f"{KEY}\nX-Injected: 1", f"{KEY}\r", f"{KEY}é", "\x1b[31m"])
def test_a_key_that_no_header_can_carry_is_refused(fake: Fake, key: str) -> None:
    table = fake.provider.table().replace(f'api_key = "{KEY}"', 'api_key_env = "FAKE_KEY"')
    fake.home.write(f'default = "fake"\n{table}')
    run = fake.command("Hello", env={"FAKE_KEY": key})
    if key.strip() == KEY:
        assert run.status == 0  # a line's end that came with the variable is no part of the key
        return
    one_clear_line(run, 3, "FAKE_KEY")
    assert fake.provider.log() == []


def test_an_empty_variable_is_a_missing_key(fake: Fake) -> None:
    one_clear_line(fake.command("-m", "groq", "Hello", env={"GROQ_API_KEY": ""}), 3, "GROQ_API_KEY")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:1/v1", "file:///etc/passwd", "ftp://host/v1", "http://", "http://a b/v1"]
)
def test_an_address_that_is_none_is_refused_with_its_place(fake: Fake, url: str) -> None:
    file = fake.home.write(f'[providers.p]\nadapter = "openai-chat"\nbase_url = "{url}"\nmodel = "m"\n')
    one_clear_line(fake.command("-m", "p", "Hello"), 3, f"{file}:3:1: ")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ('api_key_command = ["no-such-program"]', "no-such-program"),
        ('api_key_command = ["false"]', "false"),
        ('api_key_command = "echo key"', "list of arguments"),
        ('api_key_file = "/no/such/file"', "/no/such/file"),
    ],
)
def test_a_key_that_cannot_be_fetched_says_why(fake: Fake, key: str, said: str) -> None:
    fake.home.write(fake.provider.table().replace(f'api_key = "{KEY}"', key))
    one_clear_line(fake.command("-m", "fake", "Hello"), 3, said)


@pytest.mark.parametrize("how", ["command", "file"])
def test_a_key_of_a_command_or_a_file_is_sent(fake: Fake, how: str) -> None:
    kept = fake.home.folder / "key"
    kept.write_text(f"{KEY}\nsecond line\n" if how == "command" else f"{KEY}\n")
    kept.chmod(0o600)
    place = f'api_key_command = ["cat", "{kept}"]' if how == "command" else f'api_key_file = "{kept}"'
    fake.home.write(fake.provider.table().replace(f'api_key = "{KEY}"', place))
    assert fake.command("-m", "fake", "Hello").status == 0
    assert fake.provider.log()[0]["headers"]["authorization"] == f"Bearer {KEY}"


def exec_provider(fake: Fake, *command: str) -> None:
    """Configure a command as the default provider."""
    fake.home.write(f'default = "p"\n[providers.p]\nadapter = "exec"\ncommand = {json.dumps(command)}\n')


def test_a_command_answers_with_its_output(fake: Fake) -> None:
    exec_provider(fake, "cat")
    assert fake.command("été") == (0, "été\n", "")


def test_a_command_that_fails_is_status_10_with_its_words(fake: Fake) -> None:
    exec_provider(fake, "sh", "-c", "echo so far; echo it hurts >&2; exit 3")
    run = fake.command("Hello")
    assert (run.status, run.out) == (10, "so far\n")
    assert "it hurts" in run.err and "3" in run.err


def test_a_command_that_is_not_there_is_said(fake: Fake) -> None:
    exec_provider(fake, "no-such-program")
    run = fake.command("Hello")
    assert run.status in (3, 10) and "no-such-program" in run.err and "Traceback" not in run.err


def test_an_error_never_repeats_the_key_even_when_the_server_does(fake: Fake) -> None:
    run = fake("401")("Hello")
    assert "Incorrect API key provided" in run.err and KEY not in run.err
    for form in ("--events", "--json"):
        run = fake("401")(form, "Hello")
        assert KEY not in run.out + run.err


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--tempreture", "unknown option --tempreture; did you mean --temperature?\n"),
        # a few letters in common make no slip of the keyboard
        ("--rate", "unknown option --rate\n"),
    ],
)
def test_an_unknown_option_has_only_a_near_one_named(fake: Fake, option: str, said: str) -> None:
    one_clear_line(fake.command(option, "hi"), 2, said)
