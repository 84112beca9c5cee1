"""The real model for tests, fetched once for each user and kept.

Where it can't be had the test skips and says why; with ``CI=true`` it fails instead, so that a
green run there means that a real model has answered.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from llmstream.errors import LLMStreamError, MissingExtra
from llmstream.local.models import DEFAULT, ensure
from llmstream.local.server import require, server_for
from llmstream.prompt import Secret

_OWN_CACHE = "llmstream-tests"


def models_folder() -> Path:
    """Return where the model is kept between runs, a folder of models as the command has one."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / _OWN_CACHE


def model_path() -> Path:
    """Return the model's file; skips the test, or fails it under CI, where it can't be had."""
    path, reason = _fetched()
    if path is not None:
        return path
    unavailable(f"the local model can't be had: {reason}")
    raise AssertionError("skipped or failed")


def need_llama() -> None:
    """Skip the test, or fail it under CI, where llama.cpp is not installed."""
    try:
        # not imported by hand: what else is done on its first import would be left out
        require()
    except MissingExtra as error:
        unavailable(str(error))


def served() -> tuple[str, Secret]:
    """Return the address and the key of this process's one server of the real model.

    It computes in one thread: those of several servers would wait for each other on two cores.
    """
    need_llama()
    return server_for(model_path(), threads=1).start()


def unavailable(reason: str) -> None:
    """Skip the test that runs; under CI fail it."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(reason)
    pytest.skip(reason)


@functools.cache
def _fetched() -> tuple[Path | None, str]:
    try:
        return ensure(DEFAULT, models_folder(), say=lambda _: None, progress=lambda *_: None), ""
    except LLMStreamError as error:
        return None, f"{error}; {error.hint}"
