"""Which of a name's addresses is used, and what it means that none is."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from llmstream.errors import ConnectionFailed
from runnable.fixtures import Way
from runnable.little_server import VERSE, LittleServer

Address = tuple[int, tuple[Any, ...]]
Answers = Callable[..., None]
UNKNOWN_KIND: Address = (255, ("-", 1))
"""Of a family that no system has."""
NO_WAY: Address = (socket.AF_INET, ("255.255.255.255", 9))
NOBODY: Address = (socket.AF_INET, ("127.0.0.1", 1))
NOBODY_6: Address = (socket.AF_INET6, ("::1", 1, 0, 0))


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Gives every name these addresses."""

    def answers(*addresses: Address) -> None:
        found = [(family, socket.SOCK_STREAM, 6, "", address) for family, address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return answers


@pytest.mark.parametrize(
    "before",
    [[], [NOBODY], [UNKNOWN_KIND], [NO_WAY], [NOBODY_6, NOBODY, NOBODY_6, NO_WAY, UNKNOWN_KIND]],
    ids=["it is the first", "refused", "unknown kind", "no way there", "all of these"],
)
def test_the_first_address_that_answers_is_used(
    little: LittleServer, way: Way, dns: Answers, before: list[Address]
) -> None:
    dns(*before, (socket.AF_INET, ("127.0.0.1", little.port)))
    assert way.chunks(little.llm(base_url="http://llm.test/v1")) == [*VERSE, ""]


@pytest.mark.parametrize(
    ("address", "said"), [(NOBODY, "refused"), (NO_WAY, "unreachable"), (UNKNOWN_KIND, "not supported")]
)
def test_the_last_address_says_why_there_is_no_connection(
    little: LittleServer, way: Way, dns: Answers, address: Address, said: str
) -> None:
    dns(NOBODY_6, address)
    error = way.failure(little.llm(base_url="http://llm.test/v1"))
    assert isinstance(error, ConnectionFailed) and error.phase == "connect"
    assert said in error.message


@pytest.mark.parametrize("host", ["256.0.0.1", "no-such.invalid", "[fe80::1%25nowhere]"])
def test_a_host_that_does_not_exist_is_no_connection(little: LittleServer, way: Way, host: str) -> None:
    error = way.failure(little.llm(base_url=f"http://{host}/v1"))
    assert isinstance(error, ConnectionFailed) and error.phase == "connect"
    assert error.retryable and host in error.message
