"""Ctrl-X L in real shells, and what the widget command says."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from fakes.command import COMMAND, Terminal
from fakes.fixtures import Fake
from llmstream.cli.parsing.widgets import WIDGETS

START = {
    "bash": ("--noprofile", "--rcfile", "{file}", "-i"),
    "zsh": ("-d", "-i"),
    "fish": ("--no-config", "-C", "source {file}"),
}
PROMPTS = {
    "bash": "PS1='rea''dy> '\n",
    "zsh": "PS1='rea''dy> '\n",
    "fish": "function fish_prompt; echo -n rea'dy> '; end\n",
}


def shell(fake: Fake, tmp_path: Path, name: str, scenario: str) -> Terminal:
    """Start an interactive shell that has the widget, and wait for its prompt."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    fake(scenario)
    own = tmp_path / "bin" / "llmstream"
    own.parent.mkdir()
    own.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    own.chmod(own.stat().st_mode | stat.S_IXUSR)
    file = tmp_path / ".zshrc"
    file.write_text(PROMPTS[name] + fake.command("completions", "widget", name).out)
    variables = {
        **fake.home.environment, "PATH": f"{own.parent}:/usr/bin:/bin", "ZDOTDIR": str(tmp_path), "TERM": "dumb"
    }  # fmt: skip
    arguments = tuple(word.format(file=file) for word in START[name])
    terminal = Terminal(arguments, variables, program=[found])
    terminal.wait_for("ready> ")
    return terminal


@pytest.mark.parametrize("name", WIDGETS)
def test_the_first_code_block_takes_the_lines_place_and_runs_when_told(
    fake: Fake, tmp_path: Path, name: str
) -> None:
    terminal = shell(fake, tmp_path, name, "code")
    try:
        terminal.type(f"cd {tmp_path}\r")
        terminal.type("models 'and \"more\x18l")
        terminal.wait_for("widget-works")
        assert not (tmp_path / "widget-works").exists()
        terminal.type("\rexit\r")
        terminal.finish()
    finally:
        terminal.close()
    assert (tmp_path / "widget-works").exists()
    assert fake.provider.body()["messages"] == [{"role": "user", "content": "models 'and \"more"}]


@pytest.mark.parametrize("name", WIDGETS)
def test_a_failure_leaves_the_line_as_it_was(fake: Fake, tmp_path: Path, name: str) -> None:
    terminal = shell(fake, tmp_path, name, "401")
    try:
        terminal.type(f"cd {tmp_path}\r")
        terminal.type("touch still-here\x18l")
        terminal.wait_for("llmstream: ")
        terminal.type("\rexit\r")
        terminal.finish()
    finally:
        terminal.close()
    assert (tmp_path / "still-here").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["widget"], "no shell given for the widget"),
        (["widget", "powershell"], "'powershell'"),
        (["bash", "zsh"], "too many"),
    ],
)
def test_a_widget_is_for_one_shell_that_has_one(fake: Fake, words: list[str], said: str) -> None:
    run = fake.command("completions", *words)
    assert (run.status, run.out) == (2, "")
    assert said in run.err
