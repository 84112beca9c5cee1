"""`llmstream config` where something is missing: a home, a file, an editor."""

from __future__ import annotations

import os

import pytest

from fakes.command import Command
from fakes.fixtures import Fake


@pytest.mark.parametrize("command", ["path", "check", "init", "edit"])
def test_without_a_home_a_path_must_be_given(
    run_llmstream: Command, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def nobody(path: str) -> str:
        return path

    # a container's user whom its system doesn't know
    monkeypatch.setattr(os.path, "expanduser", nobody)
    for name in [name for name in run_llmstream.home.environment if name.startswith(("XDG_", "HOME"))]:
        del run_llmstream.home.environment[name]
    run = run_llmstream("config", command)
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
