"""The real model's server, and a home whose configuration knows all ways to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.recorder import Recorder
from e2e.ways import DIALECTS, WAYS, Way
from fakes.command import Home
from local_model import model_path, need_llama, served

KEY_VARIABLE = "EMBEDDED_KEY"


@pytest.fixture(scope="session")
def model() -> Path:
    """The real model's file."""
    need_llama()
    return model_path()


@pytest.fixture
def embedded(model: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with the model in its folder, and eight providers: each dialect as `local` and by HTTP.

    They are ``local-DIALECT`` and ``http-DIALECT``.  This process sees the same configuration as
    a command that runs in the home.
    """
    address, key = served()
    folder = home.folder / "data" / "llmstream" / "models"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "smollm2.gguf").symlink_to(model)
    tables = []
    for dialect in DIALECTS:
        base_url = address if dialect == "anthropic" else f"{address}/v1"
        tables.append(
            f'[providers.local-{dialect}]\nadapter = "local"\ndialect = "{dialect}"\n'
            'model = "smollm2"\nthreads = 1\n'
            f'[providers.http-{dialect}]\nadapter = "{dialect}"\nbase_url = "{base_url}"\n'
            f'model = "smollm2"\napi_key_env = "{KEY_VARIABLE}"\n'
        )
    home.write("".join(tables))
    home.environment[KEY_VARIABLE] = key.reveal()
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    return home


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Both ways in turn: with threads and with an event loop."""
    return Way(request.param)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A provider of every dialect that keeps the requests."""
    with Recorder() as running:
        yield running
