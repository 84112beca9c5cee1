"""The fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.certificates import Authority
from e2e.conftest import embedded, model, way
from real.asking import upstream
from transport.raw_server import RawServer

__all__ = ["embedded", "model", "way"]


@pytest.fixture(autouse=True)
def no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a test's own proxy counts."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts unless told to."""
    return Authority(tmp_path_factory.mktemp("real-certificates"))


@pytest.fixture
def provider() -> Iterator[RawServer]:
    """A provider that tells all its words at once."""
    with upstream() as server:
        yield server
