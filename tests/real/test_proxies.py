"""squid and tinyproxy on the way to a provider: CONNECT and plain, with a password, with a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from e2e.certificates import Authority
from e2e.ways import Way
from llmstream.errors import AuthenticationError, ConnectionFailed
from real.asking import KEY, TEXT, WORDS, model, tells_all, upstream
from real.daemons import NOBODY, free_port, program, running
from transport.raw_server import RawServer, serving

USER, PASSWORD, QUOTED = "jo", "pa55w0rd", "pa55%770rd"
"""The last one is the password as an address may hold it."""
# the helper is asked for "USER PASSWORD" in a line; it may not read the tests' folder
SQUID = """http_port 127.0.0.1:{port}
pid_filename none
access_log none
cache_log {log}
cache_store_log none
cache deny all
cache_mem 1 MB
max_filedescriptors 1024
pinger_enable off
shutdown_lifetime 0 seconds
{rules}
"""
ASKING = f"""auth_param basic program /bin/sed -u -e s/^{USER}.{PASSWORD}$/OK/;t;s/.*/ERR/
auth_param basic children 1 startup=1 idle=1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all"""
TINY = """Port {port}
Listen 127.0.0.1
Timeout 20
MaxClients 20
LogFile "{log}"
{rules}
"""


@contextmanager
def squid(folder: Path, password: bool) -> Iterator[int]:
    """Run squid; gives its port."""
    path, port = program("squid"), free_port()
    configuration = folder / "squid.conf"
    rules = ASKING if password else "http_access allow all"
    configuration.write_text(SQUID.format(port=port, log="/dev/null", rules=rules))
    with running([path, "-N", "-f", configuration], port, folder / "squid.log"):
        yield port


@contextmanager
def tinyproxy(folder: Path, password: bool) -> Iterator[int]:
    """Run tinyproxy; gives its port."""
    path, port = program("tinyproxy"), free_port()
    configuration = folder / "tinyproxy.conf"
    rules = f"BasicAuth {USER} {PASSWORD}" if password else ""
    configuration.write_text(TINY.format(port=port, log=folder / "tinyproxy.out", rules=rules))
    with running([path, "-d", "-c", configuration], port, folder / "tinyproxy.log"):
        yield port


class Place(NamedTuple):
    """A provider behind a proxy: its server, its address and the authority to trust."""

    server: RawServer
    address: str
    ca_file: Path | None


@pytest.fixture(params=["plain", "CONNECT"])
def place(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Place]:
    """A provider by http, which a proxy asks itself, and by https, to which it only leads."""
    if request.param == "plain":
        with upstream() as server:
            yield Place(server, f"http://127.0.0.1:{server.port}", None)
        return
    context = authority.server("behind", "subjectAltName=IP:127.0.0.1")
    with serving(tells_all, context=context) as server:
        yield Place(server, f"https://127.0.0.1:{server.port}", authority.certificate)


KINDS: dict[str, Callable[[Path, bool], AbstractContextManager[int]]] = {
    "squid": squid,
    "tinyproxy": tinyproxy,
}


@pytest.fixture(scope="module", params=KINDS)
def trusting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a proxy that lets everybody through; squid takes two seconds to come and go."""
    with KINDS[request.param](tmp_path_factory.mktemp("trusting"), False) as port:
        yield port


@pytest.fixture(scope="module", params=KINDS)
def asking(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a proxy that wants a user and a password."""
    with KINDS[request.param](tmp_path_factory.mktemp("asking"), True) as port:
        yield port


def test_an_answer_comes_whole_through_a_proxy(trusting: int, place: Place, way: Way) -> None:
    llm = model(place.address, proxy=f"http://127.0.0.1:{trusting}", ca_file=place.ca_file)
    for _ in range(2):
        found = way.answer(llm, "Hello")
        assert (found.chunks, found.completion.text) == (WORDS, TEXT)
    assert len(place.server.heads) == 2


def test_a_user_with_the_password_is_let_through(asking: int, place: Place, way: Way) -> None:
    known = f"http://{USER}:{QUOTED}@127.0.0.1:{asking}"
    assert (
        way.answer(model(place.address, proxy=known, ca_file=place.ca_file), "Hello").completion.text == TEXT
    )
    [head] = place.server.heads
    assert b"proxy-authorization" not in head.lower()
    assert f"authorization: bearer {KEY}" in head.decode().lower()


@pytest.mark.parametrize(
    ("user", "said"), [("", "asks for a user and a password"), (f"{USER}:wr0ng@", "refused the user")]
)
def test_nobody_else_is(asking: int, place: Place, way: Way, user: str, said: str) -> None:
    llm = model(place.address, proxy=f"http://{user}127.0.0.1:{asking}", ca_file=place.ca_file, retries=2)
    with pytest.raises(ConnectionFailed, match=said) as caught:
        way.answer(llm, "Hello")
    # it would be refused again
    assert not caught.value.retryable
    assert "wr0ng" not in f"{caught.value} {caught.value.hint}" and "USER:PASSWORD" in caught.value.hint
    assert place.server.heads == []


@pytest.mark.parametrize(
    ("kind", "said"), [("text/html", "<title>No key</title>"), ("application/json", "{}")]
)
def test_a_refusal_of_the_key_is_not_the_proxys(asking: int, way: Way, kind: str, said: str) -> None:
    answer = f"HTTP/1.1 401 Unauthorized\r\nContent-Type: {kind}\r\nContent-Length: {len(said)}\r\n\r\n{said}"
    with upstream(lambda connection, _: connection.sendall(answer.encode())) as server:
        known = f"http://{USER}:{QUOTED}@127.0.0.1:{asking}"
        with pytest.raises(AuthenticationError, match="401 Unauthorized"):
            way.answer(model(f"http://127.0.0.1:{server.port}", proxy=known), "Hello")


def test_a_provider_that_is_not_there_is_told_in_the_proxys_words(trusting: int, way: Way) -> None:
    llm = model(f"https://127.0.0.1:{NOBODY}", proxy=f"http://127.0.0.1:{trusting}")
    with pytest.raises(ConnectionFailed, match=r"refused the connection: 50[0-9]"):
        way.answer(llm, "Hello")
