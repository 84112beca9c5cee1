"""Shells take the scripts that the command makes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from llmstream.cli.parsing.shells import script

ASK = """
source "$0"
COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}
read -r -a COMP_WORDS <<< "$1"
[[ "$1" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_llmstream
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_takes_its_script(tmp_path: Path, shell: str) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    file = tmp_path / "script"
    file.write_text(script(shell))
    subprocess.run([found, "-n", str(file)], check=True)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("llmstream --mod", {"--model"}),
        ("llmstream compl", {"completions"}),
        ("llmstream --color ", {"auto", "always", "never"}),
        ("llmstream -m gro", {"groq/", "groq/one", "groq/two:free"}),
        ("llmstream config ch", {"check"}),
        ("llmstream -- --mod", {""}),
    ],
)
def test_bash_offers_what_fits_without_starting_python(tmp_path: Path, line: str, offered: set[str]) -> None:
    models = tmp_path / "cache" / "llmstream" / "models"
    models.mkdir(parents=True)
    (models / "groq.json").write_text('{"url": "u", "at": 1, "models": ["one", "two:free", "$(touch x)"]}')
    for name in ("python3", "llmstream"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    file = tmp_path / "llmstream.bash"
    file.write_text(script("bash"))
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, "-c", ASK, str(file), line],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert set(done.stdout.split("\n")[:-1]) == offered
    assert done.stderr == ""
    assert not (tmp_path / "started").exists()
    assert not (tmp_path / "x").exists()
