"""How the embedded model is run: what a configuration may say of it."""

from __future__ import annotations

from pathlib import Path

from llmstream.record import Record


class LocalSettings(Record):
    """How the model in this process is run.

    Args:
        folder: where model files are kept.
        context: size of the context in tokens, 0 for the model's own.
        threads: 0 for as many as there are cores.
    """

    folder: Path
    context: int = 0
    threads: int = 0
