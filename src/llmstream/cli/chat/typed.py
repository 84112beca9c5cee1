"""The lines typed into chats, stored for the arrow keys of the next chat in a private file (mode 0600)."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

NAME: Final = "chat-lines.jsonl"
MOST: Final = 1000
"""Most lines to keep; a file with twice as many is reduced to them."""


class TypedLines:
    """The typed lines, oldest first.

    Args:
        folder: returns the file's folder after creating it; None to store nothing beyond this chat.
    """

    def __init__(self, folder: Callable[[], Path] | None) -> None:
        self._folder = folder
        stored = _read(folder) if folder else []
        self._stored = len(stored)
        self.lines = stored[-MOST:]

    def add(self, text: str) -> None:
        """Store a line; if the file can't be written, keep lines in memory only."""
        from llmstream.errors import LLMStreamError

        if not text.strip() or self.lines[-1:] == [text]:
            return
        self.lines.append(text)
        if self._folder is None:
            return
        try:
            self._store(self._folder, text)
        except (OSError, LLMStreamError):
            self._folder = None

    def _store(self, folder: Callable[[], Path], text: str) -> None:
        path = folder() / NAME
        _append(path, text)
        self._stored += 1
        if self._stored > 2 * MOST:
            # read again: other chats have added lines of theirs
            kept = _read(folder)[-MOST:]
            _replace(path, kept)
            self._stored = len(kept)


def forget(folder: Path, texts: set[str] | None = None) -> None:
    """Remove lines from the file.

    Args:
        folder: the file's folder.
        texts: the lines to remove, None for all of them.

    Raises:
        OSError: the file can't be read or removed.
        ConfigError: it can't be written.
    """
    path = folder / NAME
    if texts is None:
        path.unlink(missing_ok=True)
        return
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    # a damaged line goes too: it may be a part of one to remove
    left = [line for line in _parsed(data) if line not in texts]
    if _written(left) != data:
        _replace(path, left)


def _read(folder: Callable[[], Path]) -> list[str]:
    from llmstream.errors import LLMStreamError

    try:
        return _parsed((folder() / NAME).read_bytes())
    except (OSError, LLMStreamError):
        return []


def _parsed(data: bytes) -> list[str]:
    """Return the lines in a file's content, without damaged ones."""
    import json

    found: list[str] = []
    for line in data.splitlines():
        with suppress(ValueError, RecursionError):
            text = json.loads(line)
            if isinstance(text, str):
                found.append(text)
    return found


def _append(path: Path, line: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o600), "ab") as file:
        file.write(_written([line]))


def _replace(path: Path, lines: list[str]) -> None:
    from llmstream.config.paths import write_private

    write_private(path, _written(lines).decode())


def _written(lines: list[str]) -> bytes:
    import json

    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()
