"""The provider of these tests."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.deferring import job, no_waiting, office, openai_job
from llmstream.engine.policy import Policy
from llmstream.prompt import Endpoint, Options, Secret
from llmstream.runnable.targets import Target

__all__ = ["Provider", "job", "no_waiting", "office", "openai_job", "provider", "provider_port"]


class Provider:
    """The running provider, as one test sees it: what was asked since it began."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._before = len(self._ledger()["asked"])

    def open(self, name: str) -> None:
        """Let a prompt be answered that waits at its gate."""
        self._ledger(f"/open/{name}")

    def wait(self, name: str) -> None:
        """Wait until a prompt is at its gate."""
        self._ledger(f"/wait/{name}")

    def _ledger(self, path: str = "/ledger") -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return found

    @property
    def asked(self) -> list[str]:
        """The prompts that were asked."""
        found: list[str] = self._ledger()["asked"][self._before :]
        return found

    def target(self, model: str = "m", retries: int = 2, **more: Any) -> Target:
        """Return a target that asks it."""
        endpoint = Endpoint("p", model, f"http://127.0.0.1:{self.port}/v1", Secret("sk-little-jobs"))
        return Target("openai-chat", endpoint, Options(), Policy(max_retries=retries), **more)

    def config(self, folder: Path, more: str = "") -> Path:
        """Write a configuration whose provider ``p`` is it."""
        path = folder / "config.toml"
        path.write_text(
            f'[providers.p]\nadapter = "openai-chat"\nbase_url = "http://127.0.0.1:{self.port}/v1"\n'
            f'model = "m"\napi_key = "sk-little-jobs"\n{more}',
            "utf-8",
        )
        path.chmod(0o600)
        return path


@pytest.fixture(scope="session")
def provider_port() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("provider.py"))], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def provider(provider_port: int) -> Provider:
    return Provider(provider_port)
