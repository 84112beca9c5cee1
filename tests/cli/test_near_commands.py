"""Words that were meant as a command are not sent to a model in silence, and prompts are left alone."""

from __future__ import annotations

import pytest

from fakes.fixtures import Fake
from llmstream.cli.parsing.near import as_prompt, meant


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("hlep", "help"), ("model", "models"), ("modles", "models"), ("completion bash", "completions bash"),
        ("confgi check", "config check"), ("provider", "providers"), ("key list", "keys list"),
        ("models-", "models"), ("schmea events", "schema events"), ("conf", "config"), ("keyss set groq", "keys set groq"),
    ],
)  # fmt: skip
def test_a_near_miss_of_a_command_is_named(line: str, command: str) -> None:
    assert meant(line.split(), line.split()) == command


@pytest.mark.parametrize(
    "words",
    [
        ["what", "is", "a", "model?"], ["Helper", "functions", "in", "C"], ["hello"], ["model", "trains"], ["hi"],
        ["keyboard"], ["list", "models"], ["What is a monad?"], ["5"], ["..."], ["modèle"], ["config", "my", "router"],
    ],
    ids=str,
)  # fmt: skip
def test_an_ordinary_prompt_is_left_alone(words: list[str]) -> None:
    assert meant(words, words) == ""


def test_after_two_dashes_and_behind_the_default_commands_name_all_is_a_prompt() -> None:
    assert meant(["--", "hlep"], ["hlep"]) == ""
    assert meant(["prompt", "hlep"], ["hlep"]) == ""


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["-5 + 3 = ?"], "llmstream -- '-5 + 3 = ?'"),
        (["-m", "groq", "--stats", "- item"], "llmstream -m groq --stats -- '- item'"),
        (["--what", "is", "this"], "llmstream -- --what is this"),
        (["models", "of", "rome"], "llmstream -- models of rome"),
    ],
)
def test_the_line_that_sends_a_prompt_has_the_options_first(argv: list[str], line: str) -> None:
    assert as_prompt(argv) == line


@pytest.mark.parametrize(
    "words", [["help"], ["help", "models"], ["help", "config", "show"], ["version"]], ids=str
)
def test_help_and_version_do_what_their_options_do(fake: Fake, words: list[str]) -> None:
    command = fake("ok")
    run = command(*words)
    same = command("--version") if words == ["version"] else command(*words[1:], "--help")
    assert (run.status, run.out) == (0, same.out)
    assert fake.provider.log() == []


def test_with_other_words_help_is_a_prompt(fake: Fake) -> None:
    assert fake("ok")("help", "me", "out").status == 0
    assert fake("ok")("version", "control").status == 0
    assert fake("ok")("-m", "fake/m2", "help").status == 0
    assert len(fake.provider.log()) == 3


def test_a_near_miss_is_sent_with_one_line_where_nobody_can_be_asked(fake: Fake) -> None:
    run = fake("ok")("modles")
    assert run.status == 0
    assert run.err == "llmstream: sent as a prompt; did you mean `llmstream models`?\n"


@pytest.mark.parametrize(("answer", "status"), [("n\n", 2), ("\n", 2), ("y\n", 0)])
def test_on_a_terminal_it_is_asked_about_before_a_paid_model(fake: Fake, answer: str, status: int) -> None:
    terminal = fake("ok").on_terminal("modles", columns=60)
    terminal.wait_for("[y/N]")
    # broken between words
    assert max(map(len, terminal.shown.decode().splitlines())) < 60
    terminal.type(answer)
    run = terminal.finish()
    assert run.status == status
    assert len(fake.provider.log()) == (status == 0)


@pytest.mark.parametrize(
    "words", [["-5 + 3 = ?"], ["- item"], ["--what is this"], ["models", "of", "climate", "change"], ["config", "of", "it"]]
)  # fmt: skip
def test_a_prompt_like_an_option_or_a_command_is_refused_with_the_line_that_sends_it(
    fake: Fake, words: list[str]
) -> None:
    run = fake("ok")(*words)
    assert run.status == 2
    assert f"to send it as a prompt: {as_prompt(words)}\n" in run.err
    assert "unknown " in run.err or "too many arguments: " in run.err
    assert fake.provider.log() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--retries", "x", "hi"], '--retries must be a whole number, not "x"'),
        (["batch", "in.jsonl", "-j", "x"], '--jobs must be a whole number, not "x"'),
        (["--temperature", "warm", "hi"], '--temperature must be a number, not "warm"'),
        (["--color", "blue", "hi"], '--color must be one of auto, always, never, not "blue"'),
        (["hi", "--retries"], "--retries needs a value"),
        (["--stream=3", "hi"], "--stream takes no value"),
        (["config", "alias", "one"], "missing argument: MODEL"),
    ],
)
def test_a_wrong_option_is_told_in_our_words_and_not_taken_for_a_prompt(
    fake: Fake, words: list[str], said: str
) -> None:
    run = fake("ok")(*words)
    assert run.status == 2
    first, *more = run.err.splitlines()
    assert first == f"llmstream: {said}"
    assert len(more) == 1 and "--help" in more[0]
