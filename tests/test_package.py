"""What would be published: the sdist and the wheel, and the wheel alone in an environment of its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from fakes.command import Home
from llmstream.cli.parsing.manual import manual
from llmstream.cli.parsing.shells import SHELLS, script
from llmstream.version import __version__
from local_model import model_path, need_llama, unavailable

ROOT = Path(__file__).parent.parent


class Built(NamedTuple):
    """The files that would be uploaded."""

    sdist: Path
    wheel: Path


class Installed(NamedTuple):
    """An environment with the wheel and what it depends on, and with a home of its own."""

    folder: Path
    home: Home

    def run(self, *command: str) -> str:
        """Run one of the environment's commands far from the checkout, and return what it prints."""
        done = subprocess.run(
            [str(self.folder / "bin" / command[0]), *command[1:]],
            capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
            env=self.home.environment, cwd=self.home.folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the wheel from the sdist, as an upload would be made."""
    for needed in ("build", "hatchling", "twine"):
        if importlib.util.find_spec(needed) is None:
            unavailable(f"{needed} is not installed")
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    [sdist], [wheel] = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel in a fresh environment, beside the libraries that this interpreter has."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(built.wheel)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    [site] = folder.glob("lib/python3*/site-packages")
    # a folder that a .pth file names comes last, and its own .pth files, which lead to the checkout, don't count
    theirs = [path for path in sys.path if path.endswith("-packages")]
    (site / "libraries.pth").write_text("\n".join(theirs) + "\n")
    yield Installed(folder, Home(tmp_path_factory.mktemp("home")))


def test_an_index_takes_both_files(built: Built) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *map(str, built)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.count("PASSED") == 2, done.stdout


def test_the_sdist_has_the_sources_and_tests_and_nothing_that_was_made(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "man/llmstream.1",
        "tests/conftest.py",
        "docs/batch.md",
    } <= names
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.py")} <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".gguf")]
    tops = {name.partition("/")[0] for name in names}
    assert {"src", "tests", "docs", "man"} == {top for top in tops if (ROOT / top).is_dir() and top}


def test_the_wheel_has_the_package_alone(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"llmstream", *(f"llmstream_cli-{__version__}.{kind}" for kind in ("data", "dist-info"))}
    ours = ROOT / "src" / "llmstream"
    files = {
        str(path.relative_to(ours.parent))
        for path in ours.rglob("*.*")
        if "__pycache__" not in path.parts and path.is_file()
    }
    assert files == {name for name in names if name.startswith("llmstream/")}
    assert (
        "llmstream/py.typed" in names and f"llmstream_cli-{__version__}.dist-info/licenses/LICENSE" in names
    )


def test_the_installed_package_is_the_wheels(installed: Installed) -> None:
    where = "import llmstream; print(llmstream.__file__)"
    assert installed.run("python", "-c", where).startswith(str(installed.folder))
    assert installed.run("llmstream", "--version") == f"llmstream {__version__}\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_its_completions(installed: Installed, shell: str) -> None:
    assert installed.run("llmstream", "completions", shell) == script(shell)


def test_the_man_page_is_where_man_looks(installed: Installed) -> None:
    assert (installed.folder / "share" / "man" / "man1" / "llmstream.1").read_text("utf-8") == manual()


def test_the_schemas_and_the_catalogue_are_there(installed: Installed) -> None:
    for what in ("events", "config"):
        assert json.loads(installed.run("llmstream", "schema", what))["$schema"]
    assert "anthropic" in installed.run("llmstream", "providers", "--all")


def test_the_embedded_model_streams(installed: Installed) -> None:
    need_llama()
    folder = installed.home.folder / "data" / "llmstream" / "models"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "smollm2.gguf").symlink_to(model_path())
    told = installed.run("llmstream", "--events", "--max-tokens", "8", "Count from one to ten.")
    events = [json.loads(line) for line in told.splitlines()]
    chunks = [one["data"]["chunk"] for one in events if one["event"] == "on_llm_stream"]
    assert len(chunks) > 3
    assert events[-1]["event"] == "on_llm_end" and events[-1]["data"]["text"] == "".join(chunks)
