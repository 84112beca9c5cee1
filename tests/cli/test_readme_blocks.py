"""The README's commands and snippets, each run as it stands, with the fake provider as every provider."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.fixtures import KEY, Fake

README = Path(__file__).parent.parent.parent / "README.md"
TEXT = README.read_text("utf-8")
PROVIDERS = ("openai", "groq", "openrouter", "work", "local")
PICTURE = b"\x89PNG\r\n\x1a\n0000"


def blocks(language: str) -> list[str]:
    """Return the README's blocks of a language, but for those under a mark, which have tests of their own."""
    pattern = rf"(?<! -->\n)```{language}\n(.*?)^```$"
    return re.findall(pattern, TEXT, re.DOTALL | re.MULTILINE)


def pages() -> list[list[str]]:
    """Return the lines of each shell block that run the command, in order: one may need what the one before left."""
    found = []
    for block in blocks("sh"):
        lines = block.replace("\\\n", "").splitlines()
        found.append([line for line in lines if "llmstream" in line])
    return found


@pytest.fixture
def everywhere(fake: Fake) -> Fake:
    """Every provider that the README names is the fake one, and what it reads is there."""
    tables = "".join(fake.provider.table(name=name) for name in PROVIDERS)
    fake.home.write(f'default = "work"\n{tables}')
    fake.home.folder.joinpath("notes.txt").write_text("a note\n")
    fake.home.folder.joinpath("photo.png").write_bytes(PICTURE)
    fake.home.folder.joinpath("questions.txt").write_text("one\ntwo\n")
    fake.home.folder.joinpath("schema.json").write_text('{"type": "object"}')
    return fake


def environment(fake: Fake) -> dict[str, str]:
    """Return variables with which the command is found, and OpenAI's dialects lead to the fake."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    base = fake.provider.base_url()
    return {
        **fake.home.environment,
        "PATH": path,
        "OPENAI_BASE_URL": base,
        "OPENAI_API_KEY": KEY,
        "PYTHONUTF8": "1",
    }


@pytest.mark.parametrize("lines", pages(), ids=lambda lines: lines[0][:40])
def test_the_commands_of_a_block_of_the_readme_run(everywhere: Fake, lines: list[str]) -> None:
    if not shutil.which("jq"):
        lines = [line for line in lines if "jq " not in line]
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line],
            capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
            env=environment(everywhere), cwd=everywhere.home.folder,
        )  # fmt: skip
        assert done.returncode == 0, (line, done.stderr)
        # what goes into a file is told on standard error, or not at all
        assert done.stdout.strip() or done.stderr.strip() or " > " in line, line
        assert b"llmstream: warning" not in done.stderr, (line, done.stderr)


@pytest.mark.parametrize("code", blocks("python"))
def test_a_snippet_of_the_readme_runs(everywhere: Fake, code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        env=environment(everywhere), cwd=everywhere.home.folder,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


@pytest.mark.parametrize("name", ["install-command", "test-command"])
def test_a_set_up_command_is_one_line_that_makes_its_own_environment(name: str) -> None:
    block = TEXT.split(f"<!-- {name} -->\n```sh\n")[1].split("```")[0]
    assert block.startswith("python3 -m venv .venv && ") and block.count("\n") == 1
