"""The little server as tests see it: start it, give requests scripts, and wait for what they do to it."""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from llmstream import LLM
from llmstream.engine.policy import Policy
from llmstream.prompt import Endpoint, Options, Secret
from llmstream.runnable.targets import Target
from llmstream.transport.http.pool import POOL
from runnable.serving import USAGE, VERSE

__all__ = ["PATIENCE", "USAGE", "VERSE", "LittleServer", "Script", "Step", "new_tag"]

Step: TypeAlias = Sequence[Any]
Script: TypeAlias = Sequence[Step]
PATIENCE = 30.0
"""Seconds to wait for what must come; only a failing test waits that long."""

_numbers = itertools.count(1)


def new_tag() -> str:
    """Return a name that no other request of this process has."""
    return f"t{next(_numbers)}"


class LittleServer:
    """A running server; a context manager that ends it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("serving.py"))], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.base_url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> LittleServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def seen(self, tag: str, count: int = 1) -> Mapping[str, Any]:
        """Wait for so many requests and return the last."""
        found: Mapping[str, Any] = self._ask(f"/seen/{tag}/{count}")[-1]
        return found

    def left(self, tag: str, count: int = 1) -> None:
        """Wait until the clients of so many requests have gone."""
        self._ask(f"/left/{tag}/{count}")

    def played(self, tag: str, count: int = 1) -> None:
        """Wait until so many requests have been answered to the end."""
        self._ask(f"/played/{tag}/{count}")

    def quiet(self) -> None:
        """Wait until no client is connected; kept connections are closed for that."""
        POOL.close()
        self._ask("/quiet/")

    def open(self, gate: str) -> None:
        """Let all who wait at a gate go on."""
        self._ask(f"/open/{gate}")

    def count(self, tag: str) -> int:
        """Return how many requests there were."""
        return len(self._ask(f"/count/{tag}"))

    def _ask(self, path: str) -> list[dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            found: list[dict[str, Any]] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return found

    def llm(
        self,
        *scripts: Script,
        tag: str = "",
        adapter: str = "openai-completions",
        policy: Policy | None = None,
        base_url: str = "",
        api_key: str | None = "sk-little",
        proxy: str | None = None,
    ) -> LLM:
        """Return a model of this server whose answers follow the scripts, one an attempt."""
        said: dict[str, Any] = {"tag": tag, **({"scripts": list(scripts)} if scripts else {})}
        key = None if api_key is None else Secret(api_key, "$LITTLE_KEY")
        endpoint = Endpoint("little", "m", base_url or self.base_url, key)
        policy = policy or Policy(max_retries=0)
        return LLM(Target(adapter, endpoint, Options(extra=said), policy, proxy=proxy))
