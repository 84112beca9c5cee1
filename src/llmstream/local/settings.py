"""The settings of the embedded model."""

from __future__ import annotations

from pathlib import Path

from llmstream.record import Record


class LocalSettings(Record):
    """How to run the model in this process.

    Args:
        folder: the folder of model files.
        context: size of the context in tokens; 0 for the model's own, but 8192 at most.
        threads: number of threads; 0 for llama.cpp's default.
    """

    folder: Path
    context: int = 0
    threads: int = 0
