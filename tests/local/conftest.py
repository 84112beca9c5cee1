"""What the tests of local models share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.file_server import FileServer


@pytest.fixture
def server() -> Iterator[FileServer]:
    """A server of files on this machine."""
    with FileServer() as running:
        yield running
