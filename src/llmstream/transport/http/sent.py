"""Work done while the server is working, between sending a request and reading the head of the response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmstream.wire import prepare

LATER: Final[list[Callable[[], None]]] = []
"""Work that can wait until the first request is on its way; each is called once."""


def sent(framing: str) -> None:
    """Load the decoder for the response, and do the postponed work."""
    prepare(framing)
    while LATER:
        LATER.pop()()
