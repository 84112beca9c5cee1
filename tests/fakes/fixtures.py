"""Fixtures: a fake provider, an empty home, and the command in it."""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.command import PATIENCE, Command, Home

KEY: Final = "sk-fake-0123456789abcdef"
_numbers = itertools.count(1)


class Provider:
    """The fake provider as one test sees it.

    Args:
        port: of the server on loopback.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.tag = f"t{next(_numbers)}"

    def base_url(self, scenario: str = "ok") -> str:
        """Return the address of a scenario."""
        return f"http://127.0.0.1:{self.port}/{scenario}~{self.tag}/v1"

    def table(
        self, scenario: str = "ok", *, name: str = "fake", adapter: str = "openai-chat", more: str = ""
    ) -> str:
        """Return a provider's table for a configuration file."""
        base_url = self.base_url(scenario)
        if adapter in ("anthropic", "ollama"):
            base_url = base_url.removesuffix("/v1")
        return (
            f'[providers.{name}]\nadapter = "{adapter}"\nbase_url = "{base_url}"\n'
            f'model = "m1"\napi_key = "{KEY}"\n{more}\n'
        )

    def log(self) -> list[dict[str, Any]]:
        """Return the requests so far."""
        found: list[dict[str, Any]] = self._ask(f"/_log/{self.tag}")
        return found

    def body(self) -> dict[str, Any]:
        """Return the last request's body."""
        found: dict[str, Any] = self.log()[-1]["body"]
        return found

    def wait(self, event: str) -> None:
        """Wait for ``request``, or until the client has ``gone``."""
        assert self._ask(f"/_wait/{self.tag}/{event}") is True, event

    def open(self) -> None:
        """Let the answer that waits at its gate go on."""
        self._ask(f"/_open/{self.tag}")

    def _ask(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@pytest.fixture(scope="session")
def fake_port() -> Iterator[int]:
    """The port of a fake provider that runs as long as the tests."""
    with subprocess.Popen(
        [sys.executable, "-m", "fakes.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    ) as server:
        assert server.stdout
        yield json.loads(server.stdout.readline())["port"]
        server.kill()


@pytest.fixture
def provider(fake_port: int) -> Provider:
    """The fake provider, with a log of its own for each test."""
    return Provider(fake_port)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home folder."""
    return Home(tmp_path)


@pytest.fixture
def run_llmstream(home: Home) -> Iterator[Command]:
    """The command, in the empty home; the configuration is what `home.write` wrote."""
    command = Command(home)
    yield command
    command.close()


class Fake:
    """The command with the fake provider as its default: what most tests need."""

    def __init__(self, home: Home, provider: Provider, command: Command) -> None:
        self.home = home
        self.provider = provider
        self.command = command

    def __call__(self, scenario: str, *, adapter: str = "openai-chat", more: str = "") -> Command:
        """Configure a scenario as the default and return the command."""
        table = self.provider.table(scenario, adapter=adapter, more=more)
        self.home.write(f'default = "fake"\n{table}')
        return self.command


@pytest.fixture
def fake(home: Home, provider: Provider, run_llmstream: Command) -> Fake:
    """Gives the command with a scenario of the fake provider as its default."""
    return Fake(home, provider, run_llmstream)
