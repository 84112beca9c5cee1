"""haproxy in front of a provider: compression, no server, and a server that takes too long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.ways import Way
from llmstream.errors import StreamBroken, StreamEndedEarly, Unavailable
from real.asking import TEXT, WORDS, Silent, model, upstream
from real.daemons import NOBODY, free_port, program, running
from transport.raw_server import HEAD, RawServer, chunked, event

TOP = """defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server {limit}
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  compression algo gzip
  compression type text/event-stream
  retries 0
  server one 127.0.0.1:{to}
"""


@contextmanager
def haproxy(folder: Path, to: int, limit: str = "20s") -> Iterator[str]:
    """Run haproxy before a provider's port; gives the address."""
    port = free_port()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(TOP.format(port=port, to=to, limit=limit))
    with running([program("haproxy"), "-db", "-f", configuration], port, folder / "haproxy.log"):
        yield f"http://127.0.0.1:{port}"


def test_a_compressed_answer_comes_whole(tmp_path: Path, provider: RawServer, way: Way) -> None:
    with haproxy(tmp_path, provider.port) as address:
        llm = model(address)
        for _ in range(2):
            found = way.answer(llm, "Hello")
            assert (found.chunks, found.completion.text) == (WORDS, TEXT)


def test_no_server_is_worth_another_try_and_told_in_its_words(tmp_path: Path, way: Way) -> None:
    with haproxy(tmp_path, NOBODY) as address:
        with pytest.raises(Unavailable, match="503 Service Unavailable") as caught:
            way.answer(model(address), "Hello")
        assert caught.value.retryable and "<" not in str(caught.value)


def test_a_server_that_says_nothing_in_time_is_unavailable(tmp_path: Path, way: Way) -> None:
    with (
        upstream(Silent()) as provider,
        haproxy(tmp_path, provider.port, "200ms") as address,
        pytest.raises(Unavailable, match=r"504 Gateway Time-?out"),
    ):
        way.answer(model(address), "Hello")


def test_an_answer_that_falls_silent_is_cut_and_never_looks_whole(tmp_path: Path, way: Way) -> None:
    with (
        upstream(Silent(HEAD + chunked(event(WORDS[0])))) as provider,
        haproxy(tmp_path, provider.port, "300ms") as address,
        pytest.raises((StreamBroken, StreamEndedEarly)),
    ):
        way.answer(model(address), "Hello")
