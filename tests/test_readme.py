"""The README and the pages of docs/ say what is true: options, statuses, commands, keys, figures."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from llmstream.cli.exits import Exit
from llmstream.cli.parsing.commands import first_words
from llmstream.cli.parsing.table import OPTIONS
from llmstream.config.file.load import problems
from tape.served import KEY, Reply, Server, chat_pieces

README = Path(__file__).parent.parent / "README.md"
PAGES = [README, *sorted((README.parent / "docs").glob("*.md"))]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page: Path, language: str) -> list[str]:
    """Return a page's blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@each_page
def test_every_option_that_it_names_is_there(page: Path) -> None:
    known = {f"--{name}" for option in OPTIONS for name in (option.name, option.off) if name}
    known |= {"--help", "--origin", "--group"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text("utf-8")))
    assert named <= known


def test_every_exit_status_is_explained() -> None:
    text = README.read_text("utf-8")
    for status in Exit:
        assert re.search(rf"^\|[^|]*\b{int(status)}\b[^|]*\|", text, re.MULTILINE), status


@each_page
def test_every_command_that_it_names_is_there(page: Path) -> None:
    named = set(re.findall(r"`llmstream ([a-z]+)", page.read_text("utf-8")))
    assert named <= set(first_words())


@each_page
def test_what_it_links_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        path, _, heading = target.partition("#")
        if not target.startswith("https://"):
            assert not path or (page.parent / path).exists(), target
        if path and heading and not target.startswith("https://"):
            headings = re.findall(r"^#+ (.*)$", (page.parent / path).read_text("utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^a-z0-9-]", "", one.lower().replace(" ", "-")) for one in headings}


def test_the_readme_leads_to_every_page() -> None:
    for page in PAGES[1:]:
        assert f"](docs/{page.name})" in README.read_text("utf-8")


def test_the_readme_is_short() -> None:
    assert README.stat().st_size < 15_500


@each_page
def test_its_configurations_are_right(page: Path, tmp_path: Path) -> None:
    for number, example in enumerate(blocks(page, "toml")):
        if not example.startswith("[project."):  # a package's own
            file = tmp_path / f"{number}.toml"
            file.write_text(example)
            file.chmod(0o600)
            assert problems(file) == []


def test_the_keys_are_those_of_their_canonical_forms() -> None:
    table = README.read_text("utf-8").split("<!-- keys -->")[1].split("<!-- /keys -->")[0]
    rows = re.findall(r"^\| `(\{.*\})` \| `([0-9a-f]+)` \|$", table, re.MULTILINE)
    assert len(rows) >= 2
    for form, key in rows:
        compact = json.dumps(json.loads(form), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert compact == form
        assert sha256(form.encode()).hexdigest()[:32] == key


@pytest.mark.parametrize("page", ["README.md", "docs/bench.md"])
def test_the_figures_of_a_measured_run_are_those_of_its_picture(page: str) -> None:
    picture = (README.parent / "docs" / "bench.svg").read_text("utf-8")
    shown = " ".join(re.sub(r"<[^>]+>", " ", picture).replace("\xa0", " ").replace("&#160;", " ").split())
    rows = re.findall(
        r"^\| (TTFT|ITL|E2E|TPOT) \|( \d.*)\|$",
        README.parent.joinpath(page).read_text("utf-8"),
        re.MULTILINE,
    )
    assert len(rows) == 4
    for name, figures in rows:
        assert f"{name} {' '.join(figures.replace('|', ' ').split())}" in shown


def test_the_test_without_a_network_passes_as_the_page_shows_it(tmp_path: Path) -> None:
    page = README.parent / "docs" / "recordings.md"
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "llmstream.toml").write_text(blocks(page, "toml")[0])
    (folder / "llmstream.toml").chmod(0o600)
    (folder / "test_song.py").write_text(blocks(page, "python")[0])
    (tmp_path / "pytest.ini").touch()
    environment = {**os.environ, "HOME": str(tmp_path), "KEY": KEY}
    with Server(Reply(list(chat_pieces("Sparkling ", "water.")))) as server:
        config = tmp_path / "config.toml"
        config.write_text(
            f'[providers.server]\nadapter = "openai-chat"\nbase_url = "{server.url}"\napi_key_env = "KEY"\n'
        )
        command = [sys.executable, "-m", "llmstream", "-m", "server/m1", "--record", "tests/song.jsonl", "Sing"]  # fmt: skip
        subprocess.run(
            command, check=True, capture_output=True, timeout=60, cwd=tmp_path, stdin=subprocess.DEVNULL,
            env={**environment, "LLMSTREAM_CONFIG": str(config)},
        )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout
