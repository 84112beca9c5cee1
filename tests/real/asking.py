"""A small provider, a model that is asked through whatever stands before it, and what it says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from llmstream import LLM
from llmstream.engine.policy import Policy
from llmstream.prompt import Endpoint, Options, Secret
from llmstream.runnable.targets import Target
from transport.raw_server import END, HEAD, Handler, RawServer, chunked, event, serving

KEY: Final = "sk-real-0123456789"
WORDS: Final = [f"Straße {number} " for number in range(40)]
TEXT: Final = "".join(WORDS)
PATIENCE: Final = 20.0


def tells_all(connection: socket.socket, number: int) -> None:
    """Answer with all words, a chunk for each."""
    connection.sendall(HEAD + chunked(*map(event, WORDS), END) + b"0\r\n\r\n")


class Gate:
    """Answers with one word, and with the others once the gate is open.

    An answer that somebody holds back on its way never comes to the word before the gate.
    """

    def __init__(self) -> None:
        self._open = threading.Event()

    def __call__(self, connection: socket.socket, number: int) -> bool | None:
        """Answer one request; nobody waits longer than `PATIENCE`."""
        connection.sendall(HEAD + chunked(event(WORDS[0])))
        if not self._open.wait(PATIENCE):
            return False
        connection.sendall(chunked(*map(event, WORDS[1:]), END) + b"0\r\n\r\n")
        return None

    def open(self) -> None:
        """Let the answers go on."""
        self._open.set()


class Silent:
    """Answers with a beginning and then says nothing more, until the other side has gone.

    Args:
        beginning: of the answer, with its head; empty for nothing at all.
    """

    def __init__(self, beginning: bytes = b"") -> None:
        self._beginning = beginning

    def __call__(self, connection: socket.socket, number: int) -> bool:
        """Answer one request."""
        connection.sendall(self._beginning)
        connection.recv(1)
        return False


@contextmanager
def upstream(handler: Handler = tells_all) -> Iterator[RawServer]:
    """Run a provider behind which nothing more stands; all its threads have ended afterwards."""
    with serving(handler) as server:
        yield server


def model(address: str, *, retries: int = 0, **more: object) -> LLM:
    """Return a model.

    Args:
        address: of whatever stands before the provider, with a path, without ``/v1``.
        retries: after the first attempt.
        more: of the Target, such as ``proxy`` and ``ca_file``.
    """
    endpoint = Endpoint("real", "m", f"{address}/v1", Secret(KEY, "$REAL_KEY"))
    policy = Policy(max_retries=retries, connect=PATIENCE, first_token=PATIENCE, idle=PATIENCE)
    return LLM(Target("openai-chat", endpoint, Options(), policy, **more))  # type: ignore[arg-type]
