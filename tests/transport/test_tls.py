"""TLS as a client meets it: servers that break off, proxies that speak it, machines without authorities."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.certificates import Authority
from llmstream import LLM
from llmstream.errors import ConnectionFailed, LLMStreamError
from llmstream.transport.http import tls
from runnable.fixtures import Way
from transport.raw_server import HEAD, RawServer, answers, chunked, event, serving

HERE = "subjectAltName=IP:127.0.0.1,DNS:llm.test"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts unless told to."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def context(authority: Authority) -> ssl.SSLContext:
    """A server's."""
    return authority.server("here", HERE)


@pytest.fixture
def secure(context: ssl.SSLContext, authority: Authority) -> Callable[[RawServer], LLM]:
    """Gives the model of a server that speaks TLS."""
    return lambda server: server.llm(scheme="https", ca_file=authority.certificate)


@contextmanager
def meeting(first: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve connections that do one thing and end; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                first(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


def closes(connection: socket.socket) -> None:
    connection.recv(65536)


def alerts(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")


def resets(connection: socket.socket) -> None:
    connection.recv(1)
    # what was not read makes the system reset the connection


@pytest.mark.parametrize("first", [closes, resets])
def test_a_handshake_that_is_broken_off_is_no_connection(
    way: Way, authority: Authority, first: Callable[[socket.socket], None]
) -> None:
    with meeting(first) as port, serving() as server:
        server.port = port
        error = way.failure(server.llm(scheme="https", ca_file=authority.certificate))
    assert isinstance(error, ConnectionFailed) and error.phase == "connect"
    assert "TLS" in error.message


def test_plain_http_to_a_server_that_speaks_tls_says_what_to_write(way: Way) -> None:
    with meeting(alerts) as port, serving() as server:
        server.port = port
        error = way.failure(server.llm())
    assert isinstance(error, ConnectionFailed) and not error.retryable
    assert error.message.endswith("the server speaks TLS") and "https://" in error.hint


def test_a_server_that_wants_a_certificate_says_so(way: Way, authority: Authority) -> None:
    asking = authority.server("asking", HERE, clients=True)
    # a later version finds out behind the handshake
    asking.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(context=asking) as server:
        error = way.failure(server.llm(scheme="https", ca_file=authority.certificate))
    assert isinstance(error, ConnectionFailed) and not error.retryable
    assert "client_cert" in str(error.hint)


@pytest.mark.parametrize("how", ["closed", "with notice"])
def test_an_answer_that_is_cut_short_is_incomplete_however_it_was_cut(
    way: Way, context: ssl.SSLContext, secure: Callable[[RawServer], LLM], how: str
) -> None:
    def cut(connection: socket.socket, number: int) -> bool:
        connection.sendall(HEAD + chunked(event("so far")))
        if how == "with notice":
            connection.setblocking(False)
            with pytest.raises(ssl.SSLWantReadError):
                connection.unwrap()  # type: ignore[attr-defined]  # an SSLSocket
        return False

    with serving(cut, context=context) as server:
        chunks, error = way.outcome(secure(server))
    assert chunks == ["so far"] and isinstance(error, LLMStreamError)
    assert "incomplete" in error.message


def test_a_long_prompt_waits_for_a_server_that_is_slow_to_read(
    way: Way, context: ssl.SSLContext, secure: Callable[[RawServer], LLM]
) -> None:
    with serving(context=context) as server:
        server._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        llm = secure(server)
        assert way.chunks(llm.bind(stop=["x" * 300_000] * 16)) == ["Hello"]
        assert len(server.heads) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_may_be_asked_by_tls(
    way: Way, authority: Authority, context: ssl.SSLContext, scheme: str
) -> None:
    with serving(context=context if scheme == "https" else None) as server:
        leads = leading_to(server.port) if scheme == "https" else answers
        with serving(leads, context=context) as proxy:
            llm = server.llm(
                host="llm.test", scheme=scheme, ca_file=authority.certificate,
                proxy=f"https://127.0.0.1:{proxy.port}",
            )  # fmt: skip
            assert way.chunks(llm) == ["Hello"]
        asked = b"CONNECT llm.test" if scheme == "https" else b"POST http://llm.test"
        assert proxy.heads[0].startswith(asked)


def leading_to(port: int) -> Callable[[socket.socket, int], bool]:
    """Return what a proxy does that answers CONNECT and carries bytes both ways."""

    def lead(client: socket.socket, number: int) -> bool:
        with socket.create_connection(("127.0.0.1", port)) as there:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=carry, args=(there, client), daemon=True)
            back.start()
            carry(client, there)
            there.shutdown(socket.SHUT_RDWR)
            back.join()
        return False

    return lead


def carry(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass


def says(data: bytes) -> Callable[[socket.socket, int], bool]:
    def answer(connection: socket.socket, number: int) -> bool:
        connection.sendall(data)
        return False

    return answer


@pytest.mark.parametrize(
    ("data", "said", "retryable"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "did not open", True),
        (b"", "did not open", True),
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            "asks for a user",
            False,
        ),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "refused the connection: 403", False),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "refused the connection: 502", True),
    ],
)
def test_a_proxy_that_does_not_lead_on_is_told_of(way: Way, data: bytes, said: str, retryable: bool) -> None:
    with serving(says(data)) as proxy:
        llm = proxy.llm(host="llm.test", scheme="https", proxy=f"http://127.0.0.1:{proxy.port}")
        error = way.failure(llm)
    assert isinstance(error, ConnectionFailed) and error.phase == "connect"
    assert said in error.message and f"127.0.0.1:{proxy.port}" in error.message
    assert error.retryable is retryable


@pytest.fixture
def no_authorities(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system that has neither a folder nor a bundle of authorities, and no verifier of its own."""
    found = ssl.get_default_verify_paths()
    nowhere = found._replace(cafile=None, capath=None, openssl_cafile="/nowhere", openssl_capath="/nowhere")  # type: ignore[arg-type]  # what there is without either
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: None)
    monkeypatch.setitem(sys.modules, "truststore", None)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    tls._trust.cache_clear()
    tls._hashed_folder.cache_clear()
    yield
    tls._trust.cache_clear()
    tls._hashed_folder.cache_clear()


def test_a_system_without_authorities_trusts_certifis(no_authorities: None) -> None:
    pytest.importorskip("certifi")
    assert tls.trust(None, None).cert_store_stats()["x509_ca"] > 50


def test_without_these_nothing_is_trusted_and_the_message_names_the_remedy(
    no_authorities: None, monkeypatch: pytest.MonkeyPatch, way: Way, context: ssl.SSLContext
) -> None:
    monkeypatch.setitem(sys.modules, "certifi", None)
    with serving(context=context) as server:
        error = way.failure(server.llm(scheme="https"))
    assert isinstance(error, ConnectionFailed) and "ca_file" in str(error.hint)


def test_a_folder_without_hashed_names_is_not_taken_for_the_systems(
    monkeypatch: pytest.MonkeyPatch, no_authorities: None, tmp_path: Path
) -> None:
    (tmp_path / "README").write_text("no certificate")
    found = ssl.get_default_verify_paths()
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: found._replace(openssl_capath=str(tmp_path)))
    assert not tls.may_be_in_the_bundle(unknown_issuer())
    (tmp_path / "0a1b2c3d.0").write_text("one")
    tls._hashed_folder.cache_clear()
    assert tls.may_be_in_the_bundle(unknown_issuer())


@pytest.mark.parametrize("variable", [False, True], ids=["the system's folder", "SSL_CERT_DIR"])
def test_an_issuer_that_is_only_in_the_bundle_is_found_by_a_second_handshake(
    monkeypatch: pytest.MonkeyPatch,
    no_authorities: None,
    tmp_path: Path,
    way: Way,
    context: ssl.SSLContext,
    authority: Authority,
    variable: bool,
) -> None:
    folder = Authority(tmp_path).hashed(tmp_path / "hashed")
    if variable:
        monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    else:
        found = ssl.get_default_verify_paths()
        monkeypatch.setattr(
            ssl, "get_default_verify_paths", lambda: found._replace(openssl_capath=str(folder))
        )

    def load(context: ssl.SSLContext) -> None:
        context.load_verify_locations(authority.certificate)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", load)
    with serving(context=context) as server:
        assert way.chunks(server.llm(scheme="https")) == ["Hello"]
        assert (server.connections, len(server.heads)) == (2, 1)


def unknown_issuer() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = 20
    return error
