"""The lines typed into chats, stored for the arrow keys of the next chat in a private file (mode 0600)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

NAME: Final = "chat-lines.jsonl"
MOST: Final = 1000
"""Most lines to read from the file; a chat that has twice as many reduces the file to them."""


class TypedLines:
    """The typed lines, oldest first.

    Args:
        folder: returns the file's folder after creating it; None to store nothing beyond this chat.
    """

    def __init__(self, folder: Callable[[], Path] | None) -> None:
        self._folder = folder
        self.lines = _read(folder) if folder else []

    def add(self, text: str) -> None:
        """Store a line; if the file can't be written, keep lines in memory only."""
        from llmstream.errors import LLMStreamError

        if not text.strip() or self.lines[-1:] == [text]:
            return
        self.lines.append(text)
        if self._folder is None:
            return
        try:
            _write(self._folder() / NAME, self.lines)
        except (OSError, LLMStreamError):
            self._folder = None


def forget(folder: Path, texts: set[str] | None = None) -> None:
    """Remove lines from the file.

    Args:
        folder: the file's folder.
        texts: the lines to remove, None for all of them.

    Raises:
        OSError: the file can't be removed.
        ConfigError: it can't be written.
    """
    path = folder / NAME
    if texts is None:
        path.unlink(missing_ok=True)
        return
    lines = _read(lambda: folder)
    left = [line for line in lines if line not in texts]
    if len(left) < len(lines):
        _replace(path, left)


def _read(folder: Callable[[], Path]) -> list[str]:
    import json

    from llmstream.errors import LLMStreamError

    try:
        text = (folder() / NAME).read_text("utf-8")
        found = [json.loads(line) for line in text.splitlines()[-MOST:]]
    except (OSError, ValueError, LLMStreamError):
        return []
    return [line for line in found if isinstance(line, str)]


def _write(path: Path, lines: list[str]) -> None:
    if len(lines) > 2 * MOST:
        del lines[:-MOST]
        _replace(path, lines)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o600), "ab") as file:
        file.write(_encoded(lines[-1]).encode())


def _replace(path: Path, lines: list[str]) -> None:
    from llmstream.config.paths import write_private

    write_private(path, "".join(map(_encoded, lines)))


def _encoded(line: str) -> str:
    import json

    return json.dumps(line) + "\n"
