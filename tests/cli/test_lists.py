"""`models` and `providers`: everybody who is ready, at the terminal's width."""

from __future__ import annotations

import json

import pytest

from fakes.fixtures import Fake


def test_without_a_name_the_models_of_all_that_are_ready_are_listed(fake: Fake) -> None:
    gone = '[providers.gone]\nadapter = "openai-chat"\nbase_url = "http://127.0.0.1:1/v1"\napi_key = "k"\n'
    fake.home.write(f'default = "fake"\n{fake.provider.table()}{gone}')
    run = fake.command("models")
    assert run.status == 0
    assert {line.partition("/")[0] for line in run.out.splitlines()} == {"fake"}
    assert run.err.startswith("llmstream: warning: gone (127.0.0.1:1)")


def test_two_names_of_one_service_are_asked_once(fake: Fake) -> None:
    fake.home.write(f'default = "fake"\n{fake.provider.table()}{fake.provider.table(name="again")}')
    run = fake.command("models", "--json")
    assert {json.loads(line)["provider"] for line in run.out.splitlines()} == {"fake"}


def test_when_nobody_can_be_asked_the_first_error_is_told(fake: Fake) -> None:
    fake.home.write(
        'default = "a"\n[providers.a]\nadapter = "openai-chat"\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = ""\n'
    )
    run = fake.command("models")
    assert (run.status, run.out) == (7, "") and "127.0.0.1:1" in run.err


def test_more_is_told_of_models_on_request(fake: Fake) -> None:
    fake("ok")
    run = fake.command("models", "-v")
    assert run.status == 0 and run.out.splitlines()[0].split() == ["MODEL", "CONTEXT", "INPUTS", "OPTIONS"]
    rows = [json.loads(line) for line in fake.command("models", "fake", "-v", "--json").out.splitlines()]
    assert rows and all(set(row) == {"provider", "model", "context", "inputs", "options"} for row in rows)


def test_ready_providers_come_first_with_key_and_model(fake: Fake) -> None:
    fake("ok")
    fake.home.environment["MISTRAL_API_KEY"] = "sk-x"
    lines = fake.command("providers").out.splitlines()
    assert lines[0].split() == ["PROVIDER", "KEY", "DEFAULT", "MODEL"]
    assert [line.split()[0] for line in lines[1:5]] == ["fake", "local", "mistral", "local-completions"]
    assert next(line for line in lines if line.startswith("mistral ")).split()[1] == "$MISTRAL_API_KEY"
    assert next(line for line in lines if line.startswith("groq ")).split()[1:3] == ["no", "$GROQ_API_KEY"]
    assert "BASE URL" in fake.command("providers", "--all").out.splitlines()[0]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["providers"], ["providers", "--all"], ["models", "-v"]], ids=str
)
def test_no_line_is_wider_than_the_terminal(fake: Fake, arguments: list[str]) -> None:
    fake("ok")
    run = fake.command.on_terminal(*arguments, columns=80).finish()
    assert run.status == 0
    assert max(map(len, run.out.splitlines())) <= 80


def test_the_help_fits_a_narrow_terminal_and_a_short_patience(fake: Fake) -> None:
    lines = fake.command("--help").out.splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) <= 90


def test_no_word_of_a_message_is_cut_at_the_terminals_edge(fake: Fake) -> None:
    fake("ok")
    run = fake.command.on_terminal("-m", "groq", "hello", columns=80, env={"NO_COLOR": "1"}).finish()
    lines = run.out.splitlines()
    assert run.status == 3 and all(len(line) < 80 for line in lines)
    assert "GROQ_API_KEY" in run.out and "keys set groq" in " ".join(run.out.split())
