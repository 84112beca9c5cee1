"""An adapter from another package: the one of docs/adapters.md, installed, found and run by the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from llmstream.testing import Exchange, check_adapter
from plugins.parrot import Parrot

SOURCE = Path(__file__).parent / "parrot.py"
PAGE = Path(__file__).parent.parent.parent / "docs" / "adapters.md"
WORDS = ["Pieces ", "of ", "eight! \N{PARROT}"]
ANSWER = "".join(json.dumps({"word": word}) + "\n" for word in WORDS) + '{"end": "stop"}\n'


def block(mark: str, language: str) -> str:
    """Return the block of the page under a mark."""
    return PAGE.read_text("utf-8").partition(f"<!-- {mark} -->\n```{language}\n")[2].partition("```\n")[0]


class Cage(BaseHTTPRequestHandler):
    """Speaks Parrot, a chunk a line."""

    asked: ClassVar[list[dict[str, object]]] = []
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.asked.append({"path": self.path, "key": self.headers["authorization"], **json.loads(body)})
        self.send_response(200)
        self.send_header("content-type", "application/x-ndjson")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for line in ANSWER.encode().splitlines(keepends=True):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def base_url() -> Iterator[str]:
    Cage.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Cage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder of packages in which the adapter is installed."""
    (tmp_path / "parrot.py").write_text(SOURCE.read_text("utf-8"), "utf-8")
    about = tmp_path / "llmstream_parrot-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: llmstream-parrot\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[llmstream.adapters]\nparrot = parrot:Parrot\n")
    return tmp_path


@pytest.mark.parametrize("engine", ["--sync", "--async"])
def test_an_installed_adapter_is_found_by_its_name(installed: Path, base_url: str, engine: str) -> None:
    config = installed / "config.toml"
    config.write_text(
        f'[providers.bird]\nadapter = "parrot"\nbase_url = "{base_url}"\nmodel = "polly"\napi_key_env = "BIRD_KEY"\n'
    )
    environment = {**os.environ, "PYTHONPATH": str(installed), "BIRD_KEY": "sk-bird"}
    command = [sys.executable, "-m", "llmstream", "--config", str(config), "-m", "bird", engine]
    done = subprocess.run(
        [*command, "--separator", "|", "--temperature", "0.5", "--seed", "1", "hello"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout.decode()) == (0, "Pieces |of |eight! \N{PARROT}|\n")
    assert done.stderr.decode() == "llmstream: warning: parrot doesn't accept option 'seed': left out\n"
    assert Cage.asked == [
        {"path": "/speak", "key": "Bearer sk-bird", "bird": "polly", "stream": True, "wildness": 0.5,
         "said": [{"role": "user", "text": "hello"}]}
    ]  # fmt: skip


def test_it_keeps_to_what_adapters_keep_to() -> None:
    check_adapter(Parrot(), [Exchange(ANSWER.encode(), text="".join(WORDS))])


def test_the_readme_shows_this_adapter_in_under_60_lines() -> None:
    shown = block("adapter", "python")
    assert shown == SOURCE.read_text("utf-8")
    assert shown.count("\n") < 60


def test_the_readme_shows_how_to_offer_it(installed: Path) -> None:
    offered = tomllib.loads(block("adapter-package", "toml"))["project"]["entry-points"]
    written = (installed / "llmstream_parrot-1.0.dist-info" / "entry_points.txt").read_text()
    assert written == "".join(
        f"[{group}]\n" + "".join(f"{name} = {path}\n" for name, path in entries.items())
        for group, entries in offered.items()
    )


def test_the_readme_shows_how_to_test_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "parrot", sys.modules[Parrot.__module__])
    space: dict[str, Callable[[], None]] = {}
    exec(block("adapter-test", "python"), space)
    space["test_parrot"]()


@pytest.mark.parametrize("fault", ["raise RuntimeError('no wings')", "def Parrot(wings): pass"])
def test_a_plugin_that_fails_to_load_is_an_error_of_the_configuration(installed: Path, fault: str) -> None:
    (installed / "parrot.py").write_text(fault)
    config = installed / "config.toml"
    config.write_text(
        '[providers.bird]\nadapter = "parrot"\nbase_url = "http://a.test"\nmodel = "m"\napi_key_env = ""\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "llmstream", "--config", str(config), "-m", "bird", "hello"],
        env={**os.environ, "PYTHONPATH": str(installed)},
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    assert '"parrot" (parrot:Parrot) can\'t be loaded: ' in done.stderr and "wings" in done.stderr
