"""FILE.deferred.json: the batches that were sent, saved before each step that costs money."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from llmstream.errors import UsageError
from llmstream.jobs.results import FileError
from llmstream.prompt import Json

VERSION: Final = 1


class StateFile:
    """The batches of one FILE.

    Args:
        output: FILE.

    Each entry has ``provider``, ``model`` (full name), ``token`` (ours), ``first`` and ``last`` (line
    numbers), ``count``, ``step`` (``planned``, ``creating``, ``created``), ``batch`` once known, and what
    the interface saves to find a lost batch. `complete`: whether batches exist for the whole input.

    Raises:
        UsageError: the file is damaged, or from a later version.
    """

    def __init__(self, output: Path) -> None:
        self.path = output.with_name(f"{output.name}.deferred.json")
        self.entries: list[dict[str, Json]] = []
        self.complete = True
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return
        except OSError as error:
            raise UsageError(f"can't read {self.path.name}: {error.strerror}") from error
        try:
            document = json.loads(text)
            version, entries = document["llmstream_deferred"], document["batches"]
            self.complete = bool(document["complete"])
            self.entries = [dict(entry) for entry in entries]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{self.path.name} is damaged: {error!r}",
                hint="it lists the batches in progress; without it they may be paid for twice",
            ) from error
        if version != VERSION:
            raise UsageError(f"{self.path.name} was written by another version of llmstream")

    def save(self) -> None:
        """Write it atomically and durably; remove it if there are no batches.

        Raises:
            FileError: it can't be written.
        """
        try:
            if not self.entries:
                self.path.unlink(missing_ok=True)
                return
            document = {
                "llmstream_deferred": VERSION, "complete": self.complete, "batches": self.entries,
            }  # fmt: skip
            new = self.path.with_name(f".{self.path.name}.new")
            fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(json.dumps(document, indent=1) + "\n")
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        except OSError as error:
            raise FileError(f"can't write {self.path.name}: {error.strerror}", phase="output") from error
