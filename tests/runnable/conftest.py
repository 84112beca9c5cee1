"""What the library's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runnable.little_server import LittleServer


@pytest.fixture(scope="session")
def little() -> Iterator[LittleServer]:
    """A provider on this machine."""
    with LittleServer() as running:
        yield running
