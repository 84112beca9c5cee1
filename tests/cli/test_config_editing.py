"""`llmstream config` where something is missing: a home, a file, an editor."""

from __future__ import annotations

import os
import subprocess

import pytest

from fakes.command import COMMAND, PATIENCE, Command, Terminal
from fakes.fixtures import Fake


@pytest.mark.parametrize(
    "command",
    [
        ["config", "path"], ["config", "check"], ["config", "init"], ["config", "edit"],
        ["template", "list"], ["history", "off"], ["keys", "delete", "openai"],
    ],
)  # fmt: skip
def test_without_a_home_a_path_must_be_given(
    run_llmstream: Command, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    def nobody(path: str) -> str:
        return path

    # a container's user whom its system doesn't know
    monkeypatch.setattr(os.path, "expanduser", nobody)
    for name in [name for name in run_llmstream.home.environment if name.startswith(("XDG_", "HOME"))]:
        del run_llmstream.home.environment[name]
    run = run_llmstream(*command)
    assert run.status == 3 and "--config" in run.err


def test_a_file_that_is_not_there_is_only_missed_where_it_was_named(run_llmstream: Command) -> None:
    run = run_llmstream("config", "check")
    assert run.status == 0 and "defaults" in run.out
    assert run_llmstream("config", "check", "--config", "no-such.toml").status == 3


def test_edit_begins_with_a_commented_file(fake: Fake) -> None:
    run = fake.command("config", "edit", env={"EDITOR": "true"})
    assert run.status == 0 and "no problems" in run.out
    assert fake.home.config.read_text().startswith("#")


@pytest.mark.parametrize(
    ("editor", "said"),
    [("no-such-editor -w", "no-such-editor -w"), ("'half", "'half"), ("false", "status 1")],
)
def test_an_editor_that_fails_is_named(fake: Fake, editor: str, said: str) -> None:
    fake("ok")
    run = fake.command("config", "edit", env={"EDITOR": editor})
    assert run.status == 3 and said in run.err


def test_an_alias_that_leads_back_to_itself_is_refused(fake: Fake) -> None:
    command = fake("ok", more='[aliases]\nquick = "fake/m1"')
    run = command("config", "alias", "quick", "quick")
    assert run.status == 3 and "quick" in run.err
    assert 'quick = "fake/m1"' in fake.home.config.read_text()


def editor(fake: Fake, script: str) -> dict[str, str]:
    """Return variables with an editor that is a script; its file is $1."""
    file = fake.home.folder / "editor"
    file.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    file.chmod(0o700)
    return {"EDITOR": str(file)}


@pytest.mark.parametrize("command", [["config", "edit"], ["-e", "hello"]])
def test_ctrl_c_in_the_editor_is_the_editors(fake: Fake, command: list[str]) -> None:
    fake("ok")
    script = editor(fake, "trap 'echo told; exit 0' INT\necho ready\nread line")
    terminal = fake.command.on_terminal(*command, env=script)
    terminal.wait_for("ready")
    terminal.type("\x03")
    run = terminal.finish()
    assert run.status == 0 and "told" in run.out


@pytest.mark.parametrize("command", [["config", "edit"], ["-e", "hello"]])
def test_an_editor_has_the_terminal_where_standard_input_is_a_pipe(fake: Fake, command: list[str]) -> None:
    fake("ok")
    variables = {**fake.home.environment, **editor(fake, "[ -t 0 ] && echo it has")}
    piped = ("sh", "-c", 'echo piped | "$@"', "sh", *COMMAND)
    run = Terminal(tuple(command), variables, program=piped).finish()
    assert run.status == 0 and "it has" in run.out


def test_without_any_terminal_an_editor_is_run_all_the_same(fake: Fake) -> None:
    fake("ok")
    script = editor(fake, 'echo "# mine" >> "$1"')
    done = subprocess.run(
        [*COMMAND, "config", "edit"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**fake.home.environment, **script},
        start_new_session=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0 and fake.home.config.read_text().endswith("# mine\n")
