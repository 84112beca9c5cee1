"""What is done while the server thinks: between the sent request and the head of its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmstream.wire import prepare

LATER: Final[list[Callable[[], None]]] = []
"""Work that can wait until the first request is on its way; each is called once."""


def sent(framing: str) -> None:
    """Load the decoder of the answer, and do what was put off."""
    prepare(framing)
    while LATER:
        LATER.pop()()
