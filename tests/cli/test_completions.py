"""Completion, driven by real shells: each line is typed into an interactive one, with TAB."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.shell_line import Shell
from fakes.command import Command, Home
from llmstream.cli.parsing.completer import program
from llmstream.cli.parsing.shells import SHELLS, script

CONFIG = """\
default = "workplace"
[providers.workplace]
adapter = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
[providers.workplace.options]
temperature = 0
[ providers . "deep-thought" ]
adapter = "exec"
command = ["cat"]
[aliases]
quick = "groq/one"
"$(touch x)" = "groq/two"
"""
LINES = {
    "llmstream complet": "llmstream completions",
    "llmstream --temper": "llmstream --temperature",
    "llmstream --color al": "llmstream --color always",
    "llmstream -m workp": "llmstream -m workplace/",
    "llmstream --model=workp": "llmstream --model=workplace/",
    "llmstream -m qui": "llmstream -m quick",
    "llmstream -m groq/tw": "llmstream -m groq/two:free",
    "llmstream -m groq/two:f": "llmstream -m groq/two:free",
    "llmstream --fallback deep-t": "llmstream --fallback deep-thought/",
    "llmstream -o temp": "llmstream -o temperature=",
    "llmstream -o temperature=": "llmstream -o temperature=",
    "llmstream template sho": "llmstream template show",
    "llmstream history --js": "llmstream history --json",
    "llmstream keys set workp": "llmstream keys set workplace",
    "llmstream -q keys del": "llmstream -q keys delete",
    "llmstream models workp": "llmstream models workplace",
    "llmstream config ch": "llmstream config check",
    "llmstream config show --ori": "llmstream config show --origin",
    "llmstream config alias new quic": "llmstream config alias new quick",
    "llmstream -f note": "llmstream -f notes.txt",
    "llmstream pull note": "llmstream pull notes.txt",
    "llmstream completions zs": "llmstream completions zsh",
    # a prompt's words, another command's options, and what follows --
    "llmstream tell me comp": "llmstream tell me comp",
    "llmstream models --temp": "llmstream models --temp",
    "llmstream -- --temp": "llmstream -- --temp",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with providers and aliases of its own, cached models, and programs that tell when they start."""
    folder = tmp_path_factory.mktemp("shells")
    home = Home(folder)
    home.write(CONFIG)
    models = folder / "cache" / "llmstream" / "models"
    models.mkdir(parents=True)
    (models / "groq.json").write_text('{"url": "u", "at": 1, "models": ["one", "two:free", "$(touch x)"]}')
    (folder / "notes.txt").touch()
    (folder / "bin").mkdir()
    for name in ("python3", "python", "llmstream"):
        (folder / "bin" / name).write_text(f"#!/bin/sh\ntouch {folder}/started\n")
        (folder / "bin" / name).chmod(0o755)
    return folder


def environment(folder: Path) -> dict[str, str]:
    return {**Home(folder).environment, "PATH": f"{folder}/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, folder: Path) -> Iterator[Shell]:
    file = folder / f"script.{request.param}"
    file.write_text(script(request.param))
    found = Shell(request.param, file, environment(folder), folder)
    yield found
    found.close()


@pytest.mark.parametrize("line", LINES)
def test_tab_completes_the_line_without_starting_python(shell: Shell, folder: Path, line: str) -> None:
    assert shell.completed(line) == LINES[line]
    assert not (folder / "started").exists()
    assert not (folder / "x").exists()


def offered(folder: Path, *words: str) -> list[str]:
    done = subprocess.run(
        ["sh", "-c", program(), "llmstream", *words],
        capture_output=True, text=True, check=True, env=environment(folder), cwd=folder,
    )  # fmt: skip
    assert done.stderr == ""
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


def test_after_a_group_only_its_commands_are_offered(folder: Path) -> None:
    assert offered(folder, "config", "") == ["path", "show", "check", "init", "edit", "alias"]
    assert offered(folder, "keys", "") == ["set", "list", "delete"]
    assert offered(folder, "keys", "list", "--f") == []
    assert offered(folder, "keys", "set", "--f") == ["--file"]


def test_a_configuration_that_the_line_names_is_the_one_that_is_read(folder: Path) -> None:
    other = folder / "other.toml"
    other.write_text('[providers.elsewhere]\nadapter = "exec"\n')
    assert offered(folder, "--config", str(other), "-m", "elsew") == ["elsewhere/"]
    assert offered(folder, f"--config={other}", "-m", "elsew") == ["elsewhere/"]
    assert offered(folder, "-m", "elsew") == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("bash", "data/bash-completion/completions/llmstream"),
        ("zsh", ".zfunc/_llmstream"),
        ("fish", "config/fish/completions/llmstream.fish"),
    ],
)
def test_install_writes_where_the_shell_looks_but_over_no_other_file(
    run_llmstream: Command, name: str, path: str
) -> None:
    file = run_llmstream.home.folder / path
    for _ in range(2):
        done = run_llmstream("completions", "install", env={"SHELL": f"/bin/{name}"})
        assert done.status == 0 and f"wrote {file}" in done.out
        assert file.read_text() == script(name)
    file.write_text("mine\n")
    assert run_llmstream("completions", "install", name).status == 2
    assert file.read_text() == "mine\n"
    file.write_text("")  # as a full disk leaves it
    assert run_llmstream("completions", "install", name).status == 0
    assert file.read_text() == script(name)


@pytest.mark.parametrize("name", SHELLS)
def test_a_script_has_no_line_for_python_to_fill_in(name: str) -> None:
    assert "CATALOGUE" not in script(name)
    assert "SETTINGS" not in script(name)


def test_powershell_takes_its_script(tmp_path: Path) -> None:
    found = shutil.which("pwsh")
    if found is None:
        pytest.skip("pwsh is not installed")
    file = tmp_path / "llmstream.ps1"
    file.write_text(script("powershell"))
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    lines = {"keys se": "set", "keys set workp": "workplace", "-m workp": "workplace/", "-m qui": "quick"}
    for line, wanted in lines.items():
        ask = f". {file}; $l = 'llmstream {line}'; (TabExpansion2 $l $l.Length).CompletionMatches.CompletionText"
        done = subprocess.run(
            [found, "-NoProfile", "-c", ask],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "LLMSTREAM_CONFIG": str(config)},
        )
        assert done.stdout.split() == [wanted], line
