"""`config`, `providers`, `models`, `schema`, `--version`, `--help`, and names kept for later."""

from __future__ import annotations

import json
import stat

import jsonschema
import pytest

from fakes.fixtures import KEY, Fake
from llmstream.adapters import catalogue
from llmstream.cli.parsing.commands import first_words
from llmstream.cli.parsing.table import PROMPT, options_of
from llmstream.version import __version__


def test_the_version_is_one_line(fake: Fake) -> None:
    assert fake.command("--version") == (0, f"llmstream {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--help", "Hello"], ["prompt", "--help"]])
def test_help_names_every_option_and_command(fake: Fake, arguments: list[str]) -> None:
    run = fake.command(*arguments)
    assert (run.status, run.err) == (0, "")
    for option in options_of(PROMPT):
        assert f"--{option.name}" in run.out
    for name in first_words():
        assert f"\n  {name}" in run.out
    assert "Examples:" in run.out and "Exit status" in run.out
    assert max(map(len, run.out.splitlines())) <= 110


@pytest.mark.parametrize("command", sorted(set(first_words()) - {"prompt"}))
def test_every_command_has_help(fake: Fake, command: str) -> None:
    run = fake.command(command, "--help")
    assert (run.status, run.err) == (0, "")
    assert first_words()[command] in run.out or "Usage: llmstream" in run.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["config", "shwo"], "show"),
        (["config", "show", "--orgin"], "--origin"),
        (["schema", "event"], "events"),
        (["schema"], "events|config"),
        (["models", "gorq"], "groq"),
        (["keys", "set", "opnai"], "openai"),
    ],
)
def test_a_mistyped_command_gets_the_nearest_right_one(fake: Fake, arguments: list[str], said: str) -> None:
    run = fake.command(*arguments)
    assert run.status in (2, 3) and run.out == ""
    assert said.lower() in run.err.lower() and "Traceback" not in run.err


def test_providers_lists_the_catalogue_and_the_users_own(fake: Fake) -> None:
    command = fake("ok")
    run = command("providers", "--json", env={"GROQ_API_KEY": "gsk-secret"})
    rows = {row["provider"]: row for row in map(json.loads, run.out.splitlines())}
    assert set(rows) == {"fake", *catalogue.names()}
    assert rows["groq"]["key"] == "$GROQ_API_KEY"
    assert rows["openai"]["key"] == "missing ($OPENAI_API_KEY)"
    assert rows["fake"]["base_url"] == fake.provider.base_url()
    assert "gsk-secret" not in run.out and KEY not in run.out
    table = command("providers").out.splitlines()
    assert len(table) == len(rows) + 1 and table[0].startswith("PROVIDER")


def test_models_asks_the_provider_once_a_day(fake: Fake) -> None:
    command = fake("ok")
    assert command("models", "fake").out == "fake/m1\nfake/m2\nfake/mega\x1b[31m-3\n"
    assert command("models", "fake", "-q", "M2").out == "fake/m2\n"
    assert json.loads(command("models", "--json", "-q", "m1").out) == {"provider": "fake", "model": "m1"}
    assert len(fake.provider.log()) == 1
    command("models", "fake", "--refresh")
    assert len(fake.provider.log()) == 2


def test_a_model_list_cannot_colour_a_terminal(fake: Fake) -> None:
    run = fake("ok").on_terminal("models", "fake").finish()
    assert run.status == 0 and "\x1b" not in run.out and "[31m-3" in run.out


@pytest.mark.parametrize("name", ["config", "events"])
def test_a_schema_is_json_schema(fake: Fake, name: str) -> None:
    run = fake.command("schema", name)
    assert run.status == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(run.out))


def test_init_writes_a_private_file_once(fake: Fake) -> None:
    run = fake.command("config", "init")
    assert (run.status, run.out) == (0, f"{fake.home.config}\n")
    assert stat.S_IMODE(fake.home.config.stat().st_mode) == 0o600
    assert stat.S_IMODE(fake.home.config.parent.stat().st_mode) == 0o700
    assert fake.command("config", "check").status == 0
    again = fake.command("config", "init")
    assert again.status == 3 and "already exists" in again.err and "config edit" in again.err


@pytest.mark.parametrize("arguments", [["config", "path"], ["config", "path", "--config", "other.toml"]])
def test_path_says_where(fake: Fake, arguments: list[str]) -> None:
    expected = "other.toml" if "--config" in arguments else str(fake.home.config)
    assert fake.command(*arguments).out == f"{expected}\n"
    assert fake.command("config", "path", env={"LLMSTREAM_CONFIG": "/tmp/x.toml"}).out == "/tmp/x.toml\n"


@pytest.mark.parametrize("before", [["--config", "other.toml"], ["--config=other.toml"]])
def test_options_of_every_command_may_stand_before_its_name(fake: Fake, before: list[str]) -> None:
    assert fake.command(*before, "config", "path").out == "other.toml\n"


@pytest.mark.parametrize(
    "command", [["providers"], ["config", "show"], ["schema", "events"], ["config", "-q", "path"]]
)
def test_every_command_takes_the_global_options(fake: Fake, command: list[str]) -> None:
    config = str(fake.home.write(""))
    for options in (["-q", "--config", config], ["--quiet", "--debug", "--color", "never"]):
        assert fake.command(*options, *command).status == 0
    assert fake.command(*command, "--debug", "--quiet", "--color=never", f"--config={config}").status == 0


@pytest.mark.parametrize("group", ["config", "keys"])
def test_a_group_without_a_command_shows_its_commands_line_by_line(fake: Fake, group: str) -> None:
    run = fake.command(group)
    assert run.status == 2
    assert len((run.out + run.err).splitlines()) > 5


def test_show_says_where_each_value_came_from_and_masks_keys(fake: Fake) -> None:
    run = fake("ok", more="max_retries = 5")("config", "show", "--origin")
    assert run.status == 0 and KEY not in run.out
    lines = {line.split(" = ")[0].strip(): line for line in run.out.splitlines()}
    retries = next(line for name, line in lines.items() if name.endswith("max_retries"))
    assert "= 5" in retries and str(fake.home.config) in retries
    assert any("default" in line.rpartition("#")[2] for line in lines.values())


def test_edit_runs_the_editor_and_checks_what_it_left(fake: Fake) -> None:
    editor = fake.home.folder / "editor.sh"
    editor.write_text('#!/bin/sh\nprintf "defualt = \\"groq\\"\\n" > "$1"\n')
    editor.chmod(0o700)
    run = fake.command("config", "edit", env={"EDITOR": str(editor)})
    assert run.status == 3 and 'did you mean "default"' in run.err
    run = fake.command("config", "edit", env={"EDITOR": "true", "VISUAL": "false"})
    assert run.status == 3 and "exited with status 1" in run.err


def test_an_alias_is_one_line_of_the_file(fake: Fake) -> None:
    command = fake("ok")
    before = fake.home.config.read_text()
    assert command("config", "alias", "quick", "fake/m2").status == 0
    assert fake.home.config.read_text().startswith(before)
    assert command("-m", "quick", "Hello").status == 0
    assert fake.provider.body()["model"] == "m2"
    assert command("config", "alias", "bad", "nowhere/m").status == 3


BROKEN = """\
defualt = "fake"
[providers.fake]
adapter = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
modle = "m1"
max_retries = "two"
timeout = { idel = 3 }
"""


@pytest.mark.parametrize("arguments", [["config", "check"], ["Hello"], ["providers"]])
def test_all_problems_of_a_file_are_told_at_once_with_their_places(fake: Fake, arguments: list[str]) -> None:
    file = fake.home.write(BROKEN)
    run = fake.command(*arguments)
    assert (run.status, run.out) == (3, "")
    for place, said in (
        (":1:1:", '"default"'), (":5:1:", '"model"'), (":6:1:", "whole number"), (":7:13:", '"idle"'),
    ):  # fmt: skip
        found = [line for line in run.err.splitlines() if line.startswith(f"  {file}{place} ")]
        assert len(found) == 1 and said in found[0], run.err


def test_broken_toml_names_line_and_column(fake: Fake) -> None:
    file = fake.home.write('default = "fake"\n[providers.fake\n')
    run = fake.command("Hello")
    assert run.status == 3 and f"{file}:2:16: invalid TOML" in run.err


def test_a_configuration_that_was_named_must_be_there(fake: Fake) -> None:
    for arguments, variables in ((["--config", "no.toml"], {}), ([], {"LLMSTREAM_CONFIG": "/no.toml"})):
        run = fake.command(*arguments, "Hello", env=variables)
        assert run.status == 3 and "no.toml" in run.err


def test_a_file_in_the_current_folder_is_not_read(fake: Fake) -> None:
    fake("ok")
    for name in ("config.toml", "llmstream.toml", ".env", ".llmstream.toml"):
        fake.home.folder.joinpath(name).write_text('defualt = "broken')
    assert fake.command("Hello").status == 0


def test_a_key_that_others_can_read_is_warned_of(fake: Fake) -> None:
    fake("ok")
    fake.home.config.chmod(0o644)
    run = fake.command("Hello")
    assert run.status == 0 and "chmod 600" in run.err and KEY not in run.err
    fake.home.config.chmod(0o600)
    assert fake.command("Hello").err == ""


def test_a_program_in_a_file_that_others_can_write_is_refused(fake: Fake) -> None:
    fake.home.write('[providers.p]\nadapter = "exec"\ncommand = ["echo", "pwned"]\n', 0o666)
    run = fake.command("-m", "p", "Hello")
    assert (run.status, run.out) == (3, "") and "chmod 600" in run.err


def test_a_missing_key_names_the_variable_and_the_other_ways(fake: Fake) -> None:
    run = fake.command("-m", "openai", "Hello")
    assert (run.status, run.out) == (3, "")
    for way in ("$OPENAI_API_KEY", "api_key_command", "api_key_file", "[providers.openai]"):
        assert way in run.err


def test_an_alias_does_not_hide_a_provider(fake: Fake) -> None:
    fake("ok")
    for name in ("groq", "fake"):
        run = fake.command("config", "alias", name, "fake/m2")
        assert run.status == 3 and "hides the provider with that name" in run.err
    assert fake.command("config", "alias", "quick", "fake/m2").status == 0
    fake.home.write(fake.home.config.read_text().replace("[aliases]", '[aliases]\ngroq = "fake/m2"'))
    run = fake.command("config", "check")
    assert run.status == 0 and 'warning: the alias "groq" hides the provider' in run.out


def test_a_ring_of_aliases_is_a_warning(fake: Fake) -> None:
    fake.home.write('[aliases]\na = "b"\nb = "a"\n')
    run = fake.command("config", "check")
    assert run.status == 0
    assert all(f'warning: the alias "{name}" refers to itself' in run.out for name in "ab")


def test_one_providers_settings_are_shown_alone(fake: Fake) -> None:
    fake.home.write(fake.provider.table() + fake.provider.table(name="other"))
    run = fake.command("config", "show", "-m", "other")
    assert run.status == 0
    assert all(line.startswith("providers.other.") for line in run.out.splitlines())
