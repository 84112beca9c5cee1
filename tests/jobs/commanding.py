"""`llmstream batch` in this process, for the tests of jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fakes.command import Home, Run, in_process
from jobs.conftest import Provider


def prompts(path: Path, count: int) -> Path:
    lines = [json.dumps({"id": f"q{n}", "prompt": f"{path.parent.name} {n}"}) for n in range(count)]
    path.write_text("\n".join(lines) + "\n")
    return path


def batch(provider: Provider, folder: Path, *arguments: str, more: str = "") -> Run:
    """Run the command to its end, in this process."""
    config = provider.config(folder, more)
    words = ["batch", *arguments, "--config", str(config), "-m", "p/m"]
    return in_process(words, b"", Home(folder).environment, folder)


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
