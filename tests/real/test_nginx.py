"""nginx in front of a provider: compression, buffering, TLS, redirects and its own error pages."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.certificates import Authority
from e2e.ways import Way
from llmstream.errors import AuthenticationError, ConnectionFailed, RequestRefused, Unavailable
from llmstream.transport.http import tls
from real.asking import KEY, PATIENCE, TEXT, WORDS, Gate, model, upstream
from real.daemons import NOBODY, free_port, program, running
from transport.raw_server import RawServer

# one process, which needs no rights of its own user: the tests' folder is only ours
TOP = """daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  proxy_http_version 1.1;
  server {{
    listen 127.0.0.1:{port};
    {tls}
    location /held/ {{ proxy_buffering on; proxy_pass http://127.0.0.1:{to}/; }}
    location /live/ {{ proxy_buffering off; proxy_pass http://127.0.0.1:{to}/; }}
    location /packed/ {{ gzip on; gzip_types text/event-stream; gzip_min_length 0; gzip_proxied any;
                         proxy_buffering off; proxy_pass http://127.0.0.1:{to}/; }}
    location /302/ {{ return 302 http://127.0.0.1:{to}/; }}
    location /307/ {{ return 307 http://127.0.0.1:{to}/; }}
    location /308/ {{ return 308 http://127.0.0.1:{to}/; }}
    location /401/ {{ auth_basic "tests"; auth_basic_user_file {folder}/nobody; }}
    location /502/ {{ proxy_pass http://127.0.0.1:{nothing}/; }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, to: int, tls: str = "") -> Iterator[str]:
    """Run nginx before a provider's port; gives the address, without a path."""
    port = free_port()
    (folder / "nobody").touch()
    text = TOP.format(folder=folder, port=port, to=to, nothing=NOBODY, tls=tls)
    if tls:
        text = text.replace(f"127.0.0.1:{port};", f"127.0.0.1:{port} ssl http2;")
    configuration = folder / "nginx.conf"
    configuration.write_text(text)
    command: list[str | Path] = [
        program("nginx"),
        "-p",
        folder,
        "-c",
        configuration,
        "-e",
        folder / "error.log",
    ]
    with running(command, port, folder / "nginx.log"):
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"


@pytest.fixture
def front(tmp_path: Path, provider: RawServer) -> Iterator[str]:
    """The address of nginx before the provider."""
    with nginx(tmp_path, provider.port) as address:
        yield address


@pytest.mark.parametrize("how", ["held", "live", "packed"])
def test_an_answer_comes_whole(front: str, provider: RawServer, how: str, way: Way) -> None:
    llm = model(f"{front}/{how}")
    for _ in range(2):
        found = way.answer(llm, "Hello")
        assert (found.completion.text, found.completion.finish_reason) == (TEXT, "stop")
        assert found.chunks == WORDS
    assert len(provider.heads) == 2
    if how == "packed":
        # what nginx was asked for, it passes on
        assert b"gzip" in provider.heads[-1].lower()


@pytest.mark.parametrize("how", ["live", "packed"])
def test_a_word_is_told_when_it_comes(tmp_path: Path, how: str, way: Way) -> None:
    gate = Gate()
    with upstream(gate) as provider, nginx(tmp_path, provider.port) as address:
        llm = model(f"{address}/{how}")
        if way.name == "sync":
            with llm.stream("Hello") as stream:
                first = next(stream)
                gate.open()
                rest = [*stream]
        else:

            async def run() -> tuple[str, list[str]]:
                async with llm.astream("Hello") as stream:
                    first = await asyncio.wait_for(anext(stream), PATIENCE / 2)
                    gate.open()
                    return first, [chunk async for chunk in stream]

            first, rest = asyncio.run(run())
        assert [first, *rest] == WORDS


def test_tls_is_spoken_in_http_1_where_http_2_is_offered(
    tmp_path: Path, provider: RawServer, authority: Authority, way: Way
) -> None:
    pem = authority.issue("nginx", "subjectAltName=IP:127.0.0.1")
    tls = f"ssl_certificate {pem}; ssl_certificate_key {pem};"
    with nginx(tmp_path, provider.port, tls) as address:
        trusting = model(f"{address}/live", ca_file=authority.certificate)
        assert [way.answer(trusting, "Hello").completion.text for _ in range(2)] == [TEXT, TEXT]
        with pytest.raises(ConnectionFailed, match="certificate") as caught:
            way.answer(model(f"{address}/live", retries=2), "Hello")
        assert not caught.value.retryable
        with pytest.raises(RequestRefused, match="400"):
            way.answer(model(f"{address.replace('https', 'http')}/live"), "Hello")
        assert len(provider.heads) == 2


@pytest.mark.parametrize("log", ["keys", "a folder", "nowhere/keys", "a pipe", "/dev/full"])
def test_a_key_log_that_cannot_be_written_costs_nothing(
    tmp_path: Path,
    provider: RawServer,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    log: str,
    way: Way,
) -> None:
    (tmp_path / "a folder").mkdir()
    os.mkfifo(tmp_path / "a pipe")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / log))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    pem = authority.issue("logged", "subjectAltName=IP:127.0.0.1")
    with nginx(tmp_path, provider.port, f"ssl_certificate {pem}; ssl_certificate_key {pem};") as address:
        assert way.answer(model(f"{address}/live"), "Hello").completion.text == TEXT
    # the context holds the file open as long as it is kept
    tls._trust.cache_clear()
    if log == "keys":
        assert "\nCLIENT_" in (tmp_path / log).read_text()


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_is_told_and_not_followed(front: str, provider: RawServer, status: int, way: Way) -> None:
    with pytest.raises(RequestRefused, match=f"{status} .*redirects to http://127.0.0.1:{provider.port}/"):
        way.answer(model(f"{front}/{status}"), "Hello")
    assert provider.heads == []


def test_its_own_refusal_is_told_in_its_words(front: str, way: Way) -> None:
    with pytest.raises(
        AuthenticationError, match=r"401 Unauthorized: .*401 Authorization Required"
    ) as caught:
        way.answer(model(f"{front}/401", retries=2), "Hello")
    assert KEY not in str(caught.value) and "<" not in str(caught.value)


def test_a_provider_that_is_not_there_is_told_in_its_words(front: str, way: Way) -> None:
    with pytest.raises(Unavailable, match="502 Bad Gateway") as caught:
        way.answer(model(f"{front}/502"), "Hello")
    assert caught.value.retryable and "<" not in str(caught.value)
