"""What can be done instead, and scripts for shells: said with the user's own keys and files in mind."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from fakes.command import Command, Home
from jobs.test_keys import TARGET
from llmstream.cli.environment import Environment
from llmstream.cli.running.fetching import Fetching
from llmstream.cli.running.ways_out import add_to
from llmstream.errors import Cancelled, MissingExtra
from llmstream.prompt import Message, Prompt
from llmstream.render.base import Writer
from llmstream.render.waiting import ERASE, WaitingSink
from llmstream.runnable.plan import Plan


def hint(variables: dict[str, str]) -> str:
    """Return the hint of a missing extra."""
    error = MissingExtra("the local model needs llama.cpp", hint="pip install")
    add_to(error, Environment(Writer(1), Writer(2), variables))
    return error.hint


def test_a_provider_whose_key_is_there_is_named_and_the_configuration_file(home: Home) -> None:
    found = hint({**home.environment, "OPENAI_API_KEY": "sk-x"}).splitlines()
    assert found[0] == "pip install"
    assert "$OPENAI_API_KEY" in found[1]
    assert "-m openai" in found[1]
    assert found[2].endswith("config.toml")


def test_the_configuration_file_that_is_named_is_the_one_in_use() -> None:
    error = MissingExtra("the local model needs llama.cpp")
    add_to(error, Environment(Writer(1), Writer(2), {}, config=Path("/my/own.toml")))
    assert error.hint.endswith("in /my/own.toml")


def test_without_any_key_setting_one_is_the_way(home: Home) -> None:
    found = hint({**home.environment, "LLMSTREAM_CONFIG": "/my/config.toml"})
    assert "OPENAI_API_KEY" in found
    assert "llmstream -m openai" in found


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["schema", "nothing"], "schema config"),
        (["completions", "tcsh"], "bash"),
        (["completions", "bash", "more"], "more"),
        (["completions", "install", "tcsh"], "tcsh"),
        (["completions", "widget", "tcsh"], "tcsh"),
        (["completions", "widget"], "bash|zsh|fish"),
    ],
)
def test_a_wrong_word_is_told_with_the_right_ones(
    run_llmstream: Command, words: list[str], told: str
) -> None:
    run = run_llmstream(*words)
    assert (run.status, run.out) == (2, "")
    assert told in run.err


def test_completions_are_installed_but_over_nobody_elses_file(run_llmstream: Command, home: Home) -> None:
    run = run_llmstream("completions", "install", env={"SHELL": "/usr/bin/fish"})
    assert run.status == 0
    placed = Path(run.out.split("\n")[0].removeprefix("wrote ").rstrip("."))
    assert placed.is_relative_to(home.folder)
    assert run_llmstream("completions", "install", "fish").status == 0
    placed.write_text("mine", "utf-8")
    again = run_llmstream("completions", "install", "fish")
    assert again.status == 2
    assert placed.read_text("utf-8") == "mine"
    placed.unlink()
    placed.mkdir()
    assert run_llmstream("completions", "install", "fish").status == 3


def test_without_a_home_no_file_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(path: str) -> str:
        return path

    # a container's user whom its system doesn't know
    monkeypatch.setattr(os.path, "expanduser", nobody)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert "OPENAI_API_KEY" in hint({"PATH": home.environment["PATH"]})
    assert "config.toml" not in hint({"PATH": home.environment["PATH"]})


@pytest.mark.parametrize(
    ("quiet", "shown"), [(False, b"llmstream: fetching a model\nllmstream: and another\n"), (True, b"")]
)
def test_a_fetch_is_told_line_by_line_in_a_pipe_and_quietly_not_at_all(quiet: bool, shown: bytes) -> None:
    ours, theirs = os.pipe()
    try:
        environment = Environment(Writer(theirs), Writer(theirs), {"TERM": "xterm"}, quiet=quiet)
        with Fetching(environment) as fetching:
            fetching.say("fetching a model")
            fetching.progress(1, 2)
            fetching.say("and another")
            fetching.progress(2, 2)
        os.close(theirs)
        assert b"".join(iter(partial(_some, ours), b"")) == shown
    finally:
        os.close(ours)


def test_a_fetch_takes_the_waiting_sign_away_before_it_says_anything() -> None:
    ours, theirs = os.openpty()
    try:
        environment = Environment(Writer(theirs), Writer(theirs), {"TERM": "xterm"})
        environment.waiting = WaitingSink(environment.err, dim=False)
        environment.waiting.open(Plan((TARGET,), Prompt((Message("user", "x"),))), 0.0)
        shown = b""
        while b"waiting" not in shown:
            shown += _some(ours)
        with Fetching(environment) as fetching:
            fetching.say("fetching a model")
            fetching.progress(1, 2)
        os.close(theirs)
        shown += b"".join(iter(partial(_some, ours), b""))
    finally:
        os.close(ours)
    assert shown.partition(b"waiting")[2].startswith(ERASE)
    assert shown.count(b"waiting") == 1


def test_a_fetch_that_was_stopped_ends_at_its_next_piece() -> None:
    ours, theirs = os.openpty()
    try:
        environment = Environment(Writer(theirs), Writer(theirs), {"TERM": "xterm"})
        with Fetching(environment) as fetching:
            fetching.say("fetching a model")
            fetching.progress(1, 2)
            fetching.progress(2, 2)
            fetching.stop()
            with pytest.raises(Cancelled):
                fetching.progress(3, 3)
        os.close(theirs)
        shown = b"".join(iter(partial(_some, ours), b"")).decode()
    finally:
        os.close(ours)
    assert "fetching a model" in shown
    assert "2/2 bytes" in shown


def _some(terminal: int) -> bytes:
    """Return what a terminal shows next, nothing when all have closed it."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
