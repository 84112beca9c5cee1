"""An answer through a SOCKS proxy: what it is asked for, and what its refusals mean."""

from __future__ import annotations

import socket

import pytest

from llmstream.engine.policy import Policy
from llmstream.errors import ConnectionFailed, TimeLimitPassed
from runnable.fixtures import Way
from runnable.little_server import VERSE, LittleServer
from transport.socks_server import socks

TEXT = [*VERSE, ""]


@pytest.mark.parametrize("bound", [1, 3, 4], ids=["IPv4", "name", "IPv6"])
def test_an_answer_comes_through_whatever_address_the_proxy_asks_from(
    little: LittleServer, way: Way, bound: int
) -> None:
    with socks(little.port, bound=bound) as proxy:
        assert way.chunks(little.llm(proxy=f"socks5://{proxy.address}")) == TEXT


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("llm.test", (3, "llm.test", 80)),
        ("127.0.0.9", (1, "127.0.0.9", 80)),
        ("[fd00::9]", (4, "fd00::9", 80)),
    ],
)
def test_the_proxy_looks_names_up_and_is_given_numbers_as_such(
    little: LittleServer, way: Way, host: str, asked: tuple[int, str, int]
) -> None:
    with socks(little.port) as proxy:
        llm = little.llm(base_url=f"http://{host}/v1", proxy=f"socks5h://{proxy.address}")
        assert way.chunks(llm) == TEXT
        assert proxy.asked == [asked]


def test_the_environment_may_name_it(little: LittleServer, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    with socks(little.port) as proxy:
        # as GNOME writes it
        monkeypatch.setenv("all_proxy", f"socks://{proxy.address}/")
        assert way.chunks(little.llm(base_url="http://llm.test/v1")) == TEXT
        assert [host for _, host, _ in proxy.asked] == ["llm.test"]


def test_a_user_with_the_password_is_let_through(little: LittleServer, way: Way) -> None:
    with socks(little.port, password="me:p:ä") as proxy:
        assert way.chunks(little.llm(proxy=f"socks5://me:p%3A%C3%A4@{proxy.address}")) == TEXT


@pytest.mark.parametrize(
    ("user", "said"), [("", "asks for a user"), ("me:pw@", "refused the user"), ("me@", "refused the user")]
)
def test_nobody_else_is_and_no_message_shows_the_password(
    little: LittleServer, way: Way, user: str, said: str
) -> None:
    with socks(little.port, password="me:right") as proxy:
        error = way.failure(little.llm(proxy=f"socks5://{user}{proxy.address}"))
    assert isinstance(error, ConnectionFailed) and not error.retryable
    assert said in error.message and "me" not in error.message.split("proxy", 1)[1].split(")")[0]
    assert "socks5://USER:PASSWORD@" in str(error.hint) and "pw" not in repr(error)


@pytest.mark.parametrize("user", ["u" * 256, f"me:{'p' * 256}"])
def test_a_password_that_can_not_be_said_is_a_matter_of_configuration(
    little: LittleServer, way: Way, user: str
) -> None:
    with socks(little.port, password="me:right") as proxy:
        error = way.failure(little.llm(proxy=f"socks5://{user}@{proxy.address}"))
    assert "255" in error.message and user not in error.message and not error.retryable


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (1, "failure"),
        (2, "rules"),
        (3, "network unreachable"),
        (4, "host unreachable"),
        (5, "refused"),
        (91, "91"),
    ],
)
def test_a_refusal_is_told_in_words(little: LittleServer, way: Way, status: int, said: str) -> None:
    with socks(little.port, status=status) as proxy:
        error = way.failure(little.llm(proxy=f"socks5://{proxy.address}"))
    assert isinstance(error, ConnectionFailed) and error.phase == "connect"
    assert said in error.message and proxy.address in error.message


@pytest.mark.parametrize(
    ("answer", "said"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "SOCKS 5"), (b"", "closed"), (b"\x05", "closed")],
)
def test_what_is_no_socks_proxy_is_said(little: LittleServer, way: Way, answer: bytes, said: str) -> None:
    with socks(little.port, said=answer) as proxy:
        error = way.failure(little.llm(proxy=f"socks5://{proxy.address}"))
    assert isinstance(error, ConnectionFailed) and error.phase == "connect"
    assert said in error.message and proxy.address in error.message


def test_a_proxy_that_says_nothing_is_given_up(little: LittleServer, way: Way) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        policy = Policy(connect=0.1, max_retries=0)
        error = way.failure(little.llm(policy=policy, proxy=f"socks5://{address}"))
    assert isinstance(error, TimeLimitPassed) and error.phase == "connect"
