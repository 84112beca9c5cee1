"""What `--show-request` prints runs as it stands, for the embedded model too."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import Command, Home, Terminal
from fakes.lent import end_lent, lent, with_model

pytestmark = [
    pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]
ASKED = ("--show-request", "--temperature", "0", "--max-tokens", "4", "Say hello.")


@pytest.fixture(autouse=True)
def home_with_model(model: Path, home: Home) -> Iterator[None]:
    """A home that has the model; what is lent from it ends with the test."""
    with_model(home.folder, model)
    yield
    end_lent(home.folder)


def streamed(script: str) -> str:
    """Return what a shell that runs the script prints."""
    done = subprocess.run(["sh", "-c", script], capture_output=True, timeout=60, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic"])
def test_the_server_outlives_a_command_whose_output_is_captured(
    home: Home, run_llmstream: Command, dialect: str
) -> None:
    home.write(f'[providers.mine]\nadapter = "local"\ndialect = "{dialect}"\nmodel = "smollm2"\n')
    run = run_llmstream("-m", "mine", *ASKED)
    assert run.status == 0 and run.err == "llmstream: the model server runs for 120 s\n"
    assert "PORT" not in run.out and run.out.startswith("LLMSTREAM_LOCAL_KEY=")
    assert streamed(run.out).startswith("data: " if dialect == "openai-chat" else "event: ")
    assert end_lent(home.folder) == 1


@pytest.mark.parametrize("key", ["\n", "\x03"], ids=["enter", "ctrl-c"])
def test_on_a_terminal_the_server_is_up_until_the_user_ends_it(run_llmstream: Command, key: str) -> None:
    terminal: Terminal = run_llmstream.on_terminal(*ASKED, env={"NO_COLOR": "1"})
    terminal.wait_for("until you press Enter or Ctrl-C")
    script = terminal.shown.decode().replace("\r\n", "\n").partition("llmstream: ")[0]
    assert streamed(script).startswith("data: ")
    assert lent(run_llmstream.home.folder) == []
    terminal.type(key)
    assert terminal.finish().status == 0


def test_a_lent_server_ends_by_itself(model: Path) -> None:
    words = [sys.executable, "-P", "-m", "llmstream.local.lent", str(model), "0", "0", "0.1"]
    done = subprocess.run(words, capture_output=True, timeout=60, text=True, check=True)
    address, key = done.stdout.split()
    assert address.startswith("http://127.0.0.1:") and len(key) == 48


def test_a_file_that_is_no_model_is_said_before_anything_is_printed(
    home: Home, run_llmstream: Command
) -> None:
    broken = home.folder / "data" / "llmstream" / "models" / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    run = run_llmstream("-m", "local/broken", *ASKED)
    assert (run.status, run.out) == (10, "") and "broken" in run.err
