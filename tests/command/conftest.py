"""The provider, and the real command in a process of its own with an empty home."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .provider import Provider

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.stalled.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(tmp_path), "TEST_KEY": "sk-secret-1234567"}


@pytest.fixture
def run(provider: Provider, tmp_path: Path, environment: dict[str, str]) -> Run:
    """Return a function that runs the command against one of the provider's scenarios."""

    def run_command(
        *arguments: str, scenario: str = "ok", stdin: str = "", adapter: str = "openai-chat", **more: str
    ) -> subprocess.CompletedProcess[str]:
        config = tmp_path / "config.toml"
        config.write_text(
            f'default = "p"\n[providers.p]\nadapter = "{adapter}"\nbase_url = "{provider.url(scenario)}"\n'
            'api_key_env = "TEST_KEY"\nmodel = "m1"\nmax_retries = 1\n'
            f'[providers.other]\nadapter = "openai-chat"\nbase_url = "{provider.url("ok")}"\n'
            'api_key_env = "TEST_KEY"\nmodel = "m2"\n'
        )
        config.chmod(0o600)
        return subprocess.run(
            [sys.executable, "-m", "llmstream", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env={**environment, "LLMSTREAM_CONFIG": str(config), **more},
            timeout=60,
        )

    return run_command
