"""What goes over the wire, where it goes, and what broken connections mean."""

from __future__ import annotations

import gzip
import socket
import zlib
from pathlib import Path

import pytest

from llmstream.engine.policy import Policy
from llmstream.errors import (
    BadMessage,
    ConfigError,
    ConnectionFailed,
    RequestRefused,
    StreamBroken,
    StreamEndedEarly,
)
from llmstream.transport.http import pool
from llmstream.transport.http.pool import POOL
from runnable.fixtures import Way
from runnable.little_server import VERSE, LittleServer, Script, new_tag

EVENT = 'data: {"choices": [{"index": 0, "text": "%s"}]}\n\n'
END = 'data: {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_an_answer_comes_chunk_by_chunk(little: LittleServer, way: Way) -> None:
    assert way.chunks(little.llm()) == [*VERSE, ""]


def test_a_request_says_who_asks_and_what_it_can_decode(little: LittleServer, way: Way) -> None:
    tag = new_tag()
    way.chunks(little.llm(tag=tag))
    headers = little.seen(tag)["headers"]
    assert headers["user-agent"].startswith("llmstream/")
    assert headers["accept-encoding"] == "gzip, deflate"
    assert headers["authorization"] == "Bearer sk-little"
    assert headers["content-type"] == "application/json"
    assert "cookie" not in headers


@pytest.mark.parametrize("count", [1, 3])
def test_an_answer_that_is_left_closes_its_connection(little: LittleServer, way: Way, count: int) -> None:
    tag = new_tag()
    script: Script = [["head"], *(["text", str(number)] for number in range(5)), ["hang"]]
    assert way.beginning(little.llm(script, tag=tag), count) == ["0", "1", "2"][:count]
    little.left(tag)


def test_a_finished_answer_keeps_its_connection_until_the_model_is_closed(
    little: LittleServer, way: Way
) -> None:
    POOL.close()
    with little.llm() as llm:
        for _ in range(3):
            way.chunks(llm)
            assert len(POOL) == 1
    assert len(POOL) == 0
    little.quiet()


def test_nothing_is_read_behind_the_end_mark(
    little: LittleServer, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "UNFINISHED", 0.1)
    tag = new_tag()
    script: Script = [["head"], ["text", "a", "stop"], ["chunk", "data: [DONE]\n\n"], ["hang"]]
    assert way.chunks(little.llm(script, tag=tag)) == ["a"]
    little.left(tag)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(little: LittleServer, way: Way, status: int) -> None:
    tag = new_tag()
    where = f"{little.base_url}/completions"
    script: Script = [["refuse", status, {}, {"location": where}]]
    error = way.failure(little.llm(script, tag=tag))
    assert isinstance(error, RequestRefused)
    assert where in error.message
    assert little.count(tag) == 1


def test_no_cookie_is_kept(little: LittleServer, way: Way) -> None:
    tag = new_tag()
    refused = ["refuse", 503, {}, {"set-cookie": "id=1; Path=/", "retry-after-ms": "1"}]
    llm = little.llm([refused], [["refuse", 401, {}]], tag=tag, policy=Policy(max_retries=1))
    way.failure(llm)
    assert "cookie" not in little.seen(tag, 2)["headers"]
    way.failure(llm)
    assert "cookie" not in little.seen(tag, 3)["headers"]


def test_no_netrc_is_read(
    little: LittleServer, way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password pw\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    tag = new_tag()
    way.chunks(little.llm(tag=tag, api_key=None))
    assert "authorization" not in little.seen(tag)["headers"]


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_the_environments_proxy_is_asked(
    little: LittleServer, way: Way, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{little.port}")
    tag = new_tag()
    assert way.chunks(little.llm(tag=tag, base_url="http://acme.test/v1")) == [*VERSE, ""]
    assert little.seen(tag)["target"] == "http://acme.test/v1/completions"


def test_a_providers_own_proxy_goes_first(
    little: LittleServer, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    tag = new_tag()
    own = f"http://127.0.0.1:{little.port}"
    way.chunks(little.llm(tag=tag, base_url="http://acme.test/v1", proxy=own))
    assert little.seen(tag)["target"].startswith("http://acme.test/")


def test_no_proxy_is_asked_for_hosts_that_need_none(
    little: LittleServer, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    tag = new_tag()
    way.chunks(little.llm(tag=tag))
    assert little.seen(tag)["target"] == "/v1/completions"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_answer_comes_delta_by_delta(little: LittleServer, way: Way, encoding: str) -> None:
    packer = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    first = packer.compress((EVENT % "a").encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
    rest = packer.compress((EVENT % "b" + END).encode()) + packer.flush()
    headers = {"content-type": "text/event-stream", "content-encoding": encoding, "connection": "close"}
    tag = new_tag()
    script: Script = [
        ["head", 200, headers], ["raw", first.decode("latin-1")], ["gate", tag],
        ["raw", rest.decode("latin-1")], ["close"],
    ]  # fmt: skip
    assert way.beginning(little.llm(script), 1) == ["a"]
    little.open(tag)
    assert way.chunks(little.llm(script)) == ["a", "b", ""]


def test_an_encoding_that_was_not_offered_is_refused(little: LittleServer, way: Way) -> None:
    headers = {"content-type": "text/event-stream", "content-encoding": "br"}
    assert isinstance(way.failure(little.llm([["head", 200, headers], ["close"]])), BadMessage)


def test_a_compressed_answer_that_is_cut_ended_early(little: LittleServer, way: Way) -> None:
    body = gzip.compress((EVENT % "a").encode(), mtime=0)[:-12].decode("latin-1")
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip", "connection": "close"}
    error = way.failure(little.llm([["head", 200, headers], ["raw", body], ["close"]]))
    assert isinstance(error, StreamEndedEarly)


@pytest.mark.parametrize(
    ("script", "kind", "text"),
    [
        ([["reset"]], ConnectionFailed, ""),
        ([["close"]], ConnectionFailed, ""),
        ([["raw", "HTTP/1.1 200 OK\r\nconte"], ["close"]], ConnectionFailed, ""),
        ([["raw", "SSH-2.0-OpenSSH_9.6\r\n"], ["close"]], ConnectionFailed, ""),
        ([["head"], ["text", "half"], ["gate", "{tag}"], ["reset"]], StreamBroken, "half"),
        ([["head"], ["text", "half"], ["close"]], StreamBroken, "half"),
        ([["head"], ["text", "half"], ["raw", "zz\r\n"], ["hang"]], StreamBroken, "half"),
        ([["head"], ["text", "half"], ["raw", "0\r\n\r\n"]], StreamEndedEarly, "half"),
    ],
    ids=["reset", "closed", "cut head", "not http", "reset within", "cut within", "bad chunk", "clean end"],
)
def test_a_broken_connection_says_so_behind_what_came(
    little: LittleServer, way: Way, script: Script, kind: type, text: str
) -> None:
    tag = new_tag()
    little.open(tag)
    steps = [
        [str(part).replace("{tag}", tag) if part == "{tag}" else part for part in step] for step in script
    ]
    chunks, error = way.outcome(little.llm(steps))
    assert isinstance(error, kind)
    # a reset may overtake what was sent before it
    assert "".join(chunks) in (text, "")


def test_nobody_there_is_no_connection(little: LittleServer, way: Way) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = way.failure(little.llm(base_url=f"http://127.0.0.1:{port}/v1"))
    assert isinstance(error, ConnectionFailed)
    assert (error.phase, error.retryable) == ("connect", True)
    assert f"127.0.0.1:{port}" in error.message


def test_plain_http_behind_https_is_a_tls_failure_that_is_not_tried_again(
    little: LittleServer, way: Way
) -> None:
    error = way.failure(little.llm(base_url=little.base_url.replace("http:", "https:")))
    assert isinstance(error, ConnectionFailed)
    assert not error.retryable
    assert "TLS" in error.message


@pytest.mark.parametrize("address", ["ftp://acme.test/v1", "file:///etc", "http://", "http://[::1/v1"])
def test_an_address_that_is_none_is_a_matter_of_configuration(
    little: LittleServer, way: Way, address: str
) -> None:
    assert isinstance(way.failure(little.llm(base_url=address)), ConfigError)
