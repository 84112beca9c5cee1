"""`llmstream template`, -t and -e: saved prompts from saving to removing, and the editor."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.desk import at_screen
from fakes.fixtures import Fake
from fakes.scenarios import VERSE

ANSWER = "".join(VERSE)


def folder(fake: Fake) -> Path:
    """Return where templates are."""
    return Path(fake.command("template", "path").out.strip())


def editor(fake: Fake, script: str) -> dict[str, str]:
    """Return variables with an editor that is a script; its file is $1."""
    file = fake.home.folder / "my editor"
    file.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    file.chmod(0o700)
    return {"EDITOR": f"'{file}'"}


def test_templates_are_listed_with_their_words_also_one_that_is_wrong(fake: Fake) -> None:
    assert fake.command("template", "list").out == ""
    fake.command("template", "save", "ask", "What is {what}?")
    fake.command("template", "save", "tone", "-s", "be brief")
    folder(fake).joinpath("bad.toml").write_text("prompt = 7\n", "utf-8")
    rows = {row.split()[0]: row for row in fake.command("template", "list").out.splitlines()}
    assert "What is {what}?" in rows["ask"]
    assert "be brief" in rows["tone"]
    assert "1:1: prompt must be" in rows["bad"]


def test_a_template_is_shown_as_it_was_written_and_removed(fake: Fake) -> None:
    saved = fake.command("template", "save", "ask", "-m", "fake/m2", "-o", "seed=3", "What?")
    assert (saved.status, saved.out) == (0, "")
    assert "ask" in saved.err
    file = folder(fake) / "ask.toml"
    assert fake.command("template", "show", "ask").out == file.read_text("utf-8")
    file.write_bytes(b"\xff\xfe\xff")
    assert fake.command("template", "show", "ask").status == 3
    assert fake.command("template", "rm", "ask") == (0, "", f"llmstream: deleted {file}\n")
    assert not file.exists()
    assert fake.command("template", "rm", "ask").status == 2
    folder(fake).joinpath("dir.toml").mkdir()
    gone = fake.command("template", "rm", "dir")
    assert gone.status in (2, 3)
    assert folder(fake).joinpath("dir.toml").exists()


def test_two_blocks_are_refused(fake: Fake) -> None:
    assert fake.command("template", "save", "a", "-x", "--extract-last", "What?").status == 2


@pytest.mark.parametrize("option", ["-x", "--extract-last"])
def test_a_templates_model_schema_and_extraction_are_taken(fake: Fake, option: str) -> None:
    fake("code")
    fake.command("template", "save", "code", "-m", "fake/m2", option, "How?")
    run = fake.command("-t", "code")
    assert (run.status, run.out) == (0, "touch widget-works\n")
    assert fake.provider.body()["model"] == "m2"
    fake.command("template", "save", "data", "--schema", "name", "How?")
    fake.command("-t", "data")
    assert "name" in str(fake.provider.body()["response_format"])


def test_a_template_with_a_system_prompt_alone_takes_the_prompt_from_the_run(fake: Fake) -> None:
    fake("ok")
    fake.command("template", "save", "tone", "-s", "be brief")
    fake.command("-t", "tone", stdin="from a pipe")
    assert [one["content"] for one in fake.provider.body()["messages"]] == ["be brief", "from a pipe"]
    assert fake.command("-t", "tone").status == 2


def test_a_value_without_a_template_is_refused(fake: Fake) -> None:
    run = fake("ok")("-p", "what=x", "hello")
    assert run.status == 2
    assert "-t" in run.err


def test_a_template_is_written_in_the_editor_and_checked(fake: Fake) -> None:
    good = editor(fake, 'echo \'prompt = "edited"\' > "$1"')
    edited = fake.command("template", "edit", "ask", env=good)
    assert edited.status == 0 and "no problems" in edited.err
    assert "edited" in fake.command("template", "show", "ask").out
    bad = editor(fake, "echo 'prompt = 7' > \"$1\"")
    run = fake.command("template", "edit", "ask", env=bad)
    assert run.status == 3
    assert "must be text" in run.err


@pytest.mark.parametrize(
    ("script", "status", "told"),
    [
        (': > "$1"', 2, "save it, then close the editor"),
        ("exit 0", 2, "--wait"),
        ('rm "$1"', 2, "No such file"),
        ("printf 'a\\377b' > \"$1\"", 2, "UTF-8"),
        ("exit 4", 3, "status 4"),
    ],
)
def test_an_editor_that_leaves_no_prompt_asks_nobody(fake: Fake, script: str, status: int, told: str) -> None:
    fake("ok")
    run = fake.command("-e", *(["hello"] if script != "exit 0" else []), env=editor(fake, script))
    assert run.status == status
    assert told in run.err
    assert fake.provider.log() == []


@pytest.mark.parametrize("name", ["no-such-editor-at-all", "'unclosed"])
def test_an_editor_that_cannot_be_run_is_told(fake: Fake, name: str) -> None:
    fake("ok")
    run = fake.command("-e", "hello", env={"VISUAL": name})
    assert run.status == 3
    assert name in run.err


def test_the_edited_prompt_is_sent(fake: Fake) -> None:
    run = fake("ok")("-e", "hello", env=editor(fake, 'echo again >> "$1"'))
    assert run.out == f"{ANSWER}\n"
    assert fake.provider.body()["messages"][-1]["content"] in ("helloagain", "hello\nagain")


def test_a_templates_prompt_is_whole_on_a_terminal_where_nothing_is_piped(fake: Fake) -> None:
    fake("ok")
    fake.command("template", "save", "ask", "-q", "What?")
    run = at_screen(fake.command, "-t", "ask", "--no-md", typed="")
    assert run.status == 0
    assert fake.provider.body()["messages"][-1]["content"] == "What?"
