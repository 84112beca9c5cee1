"""How a provider is reached: certificates, proxies, redirects, from the configuration by the real command."""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing

import pytest

from e2e.certificates import Authority
from e2e.recorder import MODELS, TEXT, Recorder
from fakes.command import Command, Home

KEY = "wy-0123456789-secret"
HERE = "subjectAltName=IP:127.0.0.1"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts unless told to."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=["--sync", "--async"])
def engine(request: pytest.FixtureRequest) -> str:
    """Both engines in turn."""
    return str(request.param)


@pytest.fixture(params=["with truststore", "without truststore"])
def trusting(request: pytest.FixtureRequest, home: Home) -> str:
    """With the extra, where it is installed, and without it."""
    if request.param == "with truststore":
        pytest.importorskip("truststore")
    else:
        folder = home.folder / "hidden"
        folder.mkdir()
        (folder / "truststore.py").write_text("raise ImportError('not here')")
        home.environment["PYTHONPATH"] = str(folder)
    return str(request.param)


def configure(home: Home, address: str, more: str = "") -> None:
    """Make a provider at an address the default."""
    home.write(
        f'default = "acme"\n[providers.acme]\nadapter = "openai-chat"\nbase_url = "{address}/v1"\n'
        f'model = "m"\napi_key = "{KEY}"\nmax_retries = 2\n{more}\n'
    )


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(
    home: Home, run_llmstream: Command, authority: Authority, engine: str, trusting: str
) -> None:
    with Recorder(authority.server("unknown", HERE)) as recorder:
        configure(home, recorder.address)
        run = run_llmstream(engine, "Hello")
        assert (run.status, run.out, recorder.requests) == (7, "", [])
        assert "127.0.0.1" in run.err and "certificate" in run.err and "ca_file" in run.err
        assert "retrying" not in run.err and "Traceback" not in run.err


@pytest.mark.parametrize("how", ["ca_file", "ca_file beside", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_an_authority_is_trusted_when_told_to(
    home: Home, run_llmstream: Command, authority: Authority, engine: str, trusting: str, how: str
) -> None:
    with Recorder(authority.server("known", HERE)) as recorder:
        configure(home, recorder.address)
        if how == "SSL_CERT_FILE":
            home.environment["SSL_CERT_FILE"] = str(authority.certificate)
        elif how == "SSL_CERT_DIR":
            hashed = authority.hashed(home.folder / "hashed")
            home.environment["SSL_CERT_DIR"] = f"{home.folder / 'nowhere'}:{hashed}"
        elif how == "ca_file":
            configure(home, recorder.address, f'ca_file = "{authority.certificate}"')
        else:
            home.config.with_name("own.pem").write_bytes(authority.certificate.read_bytes())
            configure(home, recorder.address, 'ca_file = "own.pem"')
        run = run_llmstream(engine, "Hello")
        assert (run.status, run.out, run.err) == (0, TEXT + "\n", "")
        assert run_llmstream("models").out == "".join(f"acme/{name}\n" for name in MODELS)


def test_a_certificate_for_another_name_is_refused(
    home: Home, run_llmstream: Command, authority: Authority, engine: str
) -> None:
    with Recorder(authority.server("other", "subjectAltName=DNS:other.example.com")) as recorder:
        configure(home, recorder.address, f'ca_file = "{authority.certificate}"')
        run = run_llmstream(engine, "Hello")
        assert (run.status, run.out, recorder.requests) == (7, "", [])


def test_a_server_that_wants_a_certificate_gets_the_configured_one(
    home: Home, run_llmstream: Command, authority: Authority, engine: str
) -> None:
    client = authority.issue("a-client")
    with Recorder(authority.server("asking", HERE, clients=True)) as recorder:
        trusted = f'ca_file = "{authority.certificate}"\n'
        configure(home, recorder.address, trusted)
        refused = run_llmstream(engine, "--retries", "0", "Hello")
        assert refused.status == 7 and recorder.requests == []
        configure(home, recorder.address, f'{trusted}client_cert = "{client}"')
        assert run_llmstream(engine, "Hello") == (0, TEXT + "\n", "")
        assert run_llmstream("models").status == 0


def test_a_certificate_file_that_is_none_is_a_matter_of_configuration(
    home: Home, run_llmstream: Command, authority: Authority, engine: str
) -> None:
    (home.folder / "text.pem").write_text("no certificate")
    for line in (f'ca_file = "{home.folder}/text.pem"', f'client_cert = "{authority.certificate}"'):
        configure(home, "https://127.0.0.1:1", line)
        run = run_llmstream(engine, "Hello")
        assert run.status == 3 and "ca_file or client_cert" in run.err and "Traceback" not in run.err


class Tunnel:
    """A proxy that answers CONNECT and carries bytes both ways; keeps the heads that it was sent.

    Args:
        port: that it leads to, whatever it is asked for.
    """

    def __init__(self, port: int) -> None:
        self.heads: list[str] = []
        self._port = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        # wakes the thread that waits in accept
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            self.heads.append(head.decode())
            server = socket.create_connection(("127.0.0.1", self._port))
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=self._both_ways, args=(client, server), daemon=True).start()

    def _both_ways(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            back = threading.Thread(target=self._carry, args=(server, client), daemon=True)
            back.start()
            self._carry(client, server)
            back.join()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.fixture
def tunnelled(authority: Authority) -> Iterator[tuple[Recorder, Tunnel]]:
    """A provider by https, and a tunnel that leads to it."""
    context = authority.server("tunnelled", "subjectAltName=DNS:llm.test")
    with Recorder(context) as recorder, closing(Tunnel(recorder.server_port)) as tunnel:
        yield recorder, tunnel


@pytest.mark.parametrize("how", ["proxy", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"])
def test_a_proxy_carries_https_and_sees_neither_key_nor_prompt(
    home: Home, run_llmstream: Command, authority: Authority, tunnelled: tuple[Recorder, Tunnel],
    engine: str, how: str,
) -> None:  # fmt: skip
    recorder, tunnel = tunnelled
    address, more = f"http://user:pa%40ss@{tunnel.address}", f'ca_file = "{authority.certificate}"\n'
    if how == "proxy":
        more += f'proxy = "{address}"'
    else:
        home.environment[how] = address
    configure(home, "https://llm.test", more)
    run = run_llmstream(engine, "--debug", "Hello")
    assert (run.status, run.out) == (0, TEXT + "\n"), run.err
    assert recorder.last.headers["authorization"] == f"Bearer {KEY}"
    assert "proxy-authorization" not in recorder.last.headers
    [head] = tunnel.heads
    assert head.startswith("CONNECT llm.test:443 ") and KEY not in head
    assert f"basic {b64encode(b'user:pa@ss').decode()}".lower() in head.lower()


def test_a_proxy_of_the_environment_is_left_out_where_it_says_so(
    home: Home, recorder: Recorder, run_llmstream: Command, engine: str
) -> None:
    with Recorder() as proxy:
        home.environment |= {"HTTP_PROXY": proxy.address, "NO_PROXY": "example.com"}
        configure(home, recorder.address)
        assert run_llmstream(engine, "Hello").status == 0
        assert [request.path for request in proxy.requests] == [f"{recorder.address}/v1/chat/completions"]
        home.environment["NO_PROXY"] = "127.0.0.1,example.com"
        assert run_llmstream(engine, "Hello").status == 0
        assert (len(proxy.requests), len(recorder.requests)) == (1, 1)
        # the provider's own proxy is meant for it, whatever the environment leaves out
        configure(home, "http://llm.test", f'proxy = "{proxy.address}"')
        assert run_llmstream(engine, "Hello").status == 0
        assert proxy.last.path == "http://llm.test/v1/chat/completions"
        assert run_llmstream("models", "--refresh").status == 0
        assert proxy.last.path == "http://llm.test/v1/models"


def test_a_proxy_that_is_not_there_is_no_connection_and_shows_no_password(
    home: Home, run_llmstream: Command, engine: str
) -> None:
    configure(home, "https://llm.test", 'proxy = "http://user:pa55w0rd@127.0.0.1:1"')
    run = run_llmstream(engine, "--debug", "--retries", "0", "Hello")
    assert run.status == 7 and "pa55w0rd" not in run.err
    shown = run_llmstream("config", "show", "--origin")
    assert shown.status == 0 and "pa55w0rd" not in shown.out


def test_neither_key_nor_prompt_follows_a_redirect_to_another_place(
    home: Home, recorder: Recorder, run_llmstream: Command, engine: str
) -> None:
    with Recorder() as elsewhere:
        recorder.redirect_to = elsewhere.address
        configure(home, recorder.address)
        run = run_llmstream(engine, "Hello")
        assert run.status == 5 and elsewhere.requests == [] and len(recorder.requests) == 1
        assert "redirects to" in run.err and KEY not in run.err
