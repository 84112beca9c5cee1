"""Configuration files on a real disk, and the settings read from them."""

from __future__ import annotations

from pathlib import Path

from llmstream.config.settings import Settings

WORK = """\
[providers.work]
adapter = "openai-chat"
base_url = "https://llm.example.com/v1"
model = "m1"
"""


def write(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    """Write ``config.toml`` into a folder and return its path."""
    path = folder / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def settings(folder: Path, text: str = "", **environment: str) -> Settings:
    """Return the settings of a file with this text, in an environment of these variables alone."""
    return Settings.load(write(folder, text), environment)
