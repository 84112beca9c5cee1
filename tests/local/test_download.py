"""Downloads over http from a real server: whole, broken, resumed, refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from fakes.full_disk import full_after
from llmstream.errors import (
    AuthenticationError,
    ConfigError,
    ConnectionFailed,
    LLMStreamError,
    LocalModelError,
    RequestRefused,
    Unavailable,
)
from llmstream.local.download import fetch_https
from llmstream.prompt import Secret
from llmstream.transport.http.get import check_address, shown
from local.file_server import FileServer, Served

MODEL = b"GGUF" + bytes(range(256)) * 4000


def fetch(url: str, target: Path, seen: list[tuple[int, int | None]] | None = None) -> Path:
    told = seen if seen is not None else []
    return fetch_https(
        url, target, say=lambda _: None, progress=lambda done, total: told.append((done, total))
    )


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_whole_file_is_moved_into_place_for_the_user_alone(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL, etag='"1"')
    folder, seen = tmp_path / "data" / "models", list[tuple[int, int | None]]()
    path = fetch(server.url + "/m.gguf", folder / "m.gguf", seen)
    assert path.read_bytes() == MODEL
    assert left(folder) == ["m.gguf"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert seen[0] == (0, len(MODEL))
    assert seen[-1] == (len(MODEL), len(MODEL))


def test_broken_connection_is_gone_on_with_from_where_it_broke(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL, etag='"1"', breaks=[1000, 5000])
    assert fetch(server.url + "/m.gguf", tmp_path / "m.gguf").read_bytes() == MODEL
    assert server.ranges() == [None, "bytes=1000-", "bytes=6000-"]
    assert left(tmp_path) == ["m.gguf"]


def test_next_command_goes_on_with_the_part(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL, etag='"1"', breaks=[1000, 0])
    with pytest.raises(ConnectionFailed) as raised:
        fetch(server.url + "/m.gguf", tmp_path / "m.gguf")
    assert "to continue" in raised.value.hint
    assert left(tmp_path) == [".m.gguf.part", ".m.gguf.part.json"]
    assert fetch(server.url + "/m.gguf", tmp_path / "m.gguf").read_bytes() == MODEL
    assert server.ranges()[-1] == "bytes=1000-"
    assert left(tmp_path) == ["m.gguf"]


def test_interrupted_download_is_resumed_too(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL, etag='"1"')

    def stop(done: int, total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_https(server.url + "/m.gguf", tmp_path / "m.gguf", say=lambda _: None, progress=stop)
    assert not (tmp_path / "m.gguf").exists()
    assert fetch(server.url + "/m.gguf", tmp_path / "m.gguf").read_bytes() == MODEL
    start = server.ranges()[-1]
    assert start is not None and start != "bytes=0-"


def test_part_of_another_version_is_thrown_away(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(b"GGUF" + b"old" * 999, etag='"old"', breaks=[1000, 0])
    with pytest.raises(ConnectionFailed):
        fetch(server.url + "/m.gguf", tmp_path / "m.gguf")
    server.files["/m.gguf"] = Served(MODEL, etag='"new"')
    assert fetch(server.url + "/m.gguf", tmp_path / "m.gguf").read_bytes() == MODEL


def test_part_of_a_now_shorter_file_is_thrown_away(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL, etag='"1"', breaks=[900_000, 0])
    with pytest.raises(ConnectionFailed):
        fetch(server.url + "/m.gguf", tmp_path / "m.gguf")
    server.files["/m.gguf"] = Served(MODEL[:5000], etag='"1"')
    assert fetch(server.url + "/m.gguf", tmp_path / "m.gguf").read_bytes() == MODEL[:5000]


def test_server_without_marks_leaves_no_part(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL, breaks=[1000])
    with pytest.raises(ConnectionFailed):
        fetch(server.url + "/m.gguf", tmp_path / "m.gguf")
    assert left(tmp_path) == []


def test_server_without_ranges_starts_anew(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL, etag='"1"', breaks=[1000], ranges=False)
    assert fetch(server.url + "/m.gguf", tmp_path / "m.gguf").read_bytes() == MODEL


def test_unknown_length_is_told_as_none(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL, length=False)
    seen = list[tuple[int, int | None]]()
    assert fetch(server.url + "/m.gguf", tmp_path / "m.gguf", seen).read_bytes() == MODEL
    assert seen[-1] == (len(MODEL), None)


def test_same_file_is_not_fetched_twice(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL)
    fetch(server.url + "/m.gguf", tmp_path / "m.gguf")
    said = list[str]()
    fetch_https(server.url + "/m.gguf", tmp_path / "m.gguf", say=said.append, progress=lambda *_: None)
    assert said == ["m.gguf is already here"]


@pytest.mark.parametrize("body", [b"", b"GG", b"<html>a page</html>" * 100, b"GGUF\3\0\0\0"])
def test_what_is_no_gguf_leaves_nothing(body: bytes, server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(body, etag='"1"')
    with pytest.raises(LocalModelError, match=r"not a (complete )?GGUF file") as raised:
        fetch(server.url + "/m.gguf", tmp_path / "m.gguf")
    assert server.url in raised.value.message
    assert ("a web page" in raised.value.message) is body.startswith(b"<")
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthenticationError), (403, AuthenticationError), (404, RequestRefused), (503, Unavailable)],
)
def test_refusal_names_address_and_status(
    status: int, kind: type[LLMStreamError], server: FileServer, tmp_path: Path
) -> None:
    server.files["/m.gguf"] = Served(b"no", status=status)
    with pytest.raises(kind) as raised:
        fetch(server.url + "/m.gguf?signature=secret", tmp_path / "m.gguf")
    assert str(status) in str(raised.value) and f"{server.url}/m.gguf" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert left(tmp_path) == []


def test_nobody_there_is_no_connection(tmp_path: Path) -> None:
    with pytest.raises(ConnectionFailed):
        fetch("http://127.0.0.1:1/m.gguf", tmp_path / "m.gguf")
    assert left(tmp_path) == []


def test_token_stays_with_its_host_on_a_redirect(server: FileServer, tmp_path: Path) -> None:
    with FileServer() as store:
        store.files["/blob"] = Served(MODEL)
        server.files["/m.gguf"] = Served(status=302, to="/again")
        server.files["/again"] = Served(status=307, to=store.url + "/blob")
        target = tmp_path / "m.gguf"
        fetch_https(
            server.url + "/m.gguf", target, say=lambda _: None, progress=lambda *_: None, token=Secret("hf_x")
        )
        assert target.read_bytes() == MODEL
        assert [headers.get("authorization") for _, headers in server.seen] == ["Bearer hf_x"] * 2
        assert [headers.get("authorization") for _, headers in store.seen] == [None]


def test_endless_redirects_end(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(status=302, to="/m.gguf")
    with pytest.raises(RequestRefused, match="redirects too often"):
        fetch(server.url + "/m.gguf", tmp_path / "m.gguf")


def test_redirect_to_plain_http_elsewhere_is_refused(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(status=302, to="http://192.0.2.1/m.gguf")
    with pytest.raises(ConfigError, match="https only"):
        fetch(server.url + "/m.gguf", tmp_path / "m.gguf")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/m.gguf",
        "ftp://127.0.0.1/m",
        "file:///etc/passwd",
        "https://",
        "https://a b/",
        "https://x:y/",
    ],
)
def test_address_that_is_not_https_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        check_address(url)


def test_address_is_shown_without_what_may_be_secret() -> None:
    assert shown("https://user:pass@host/m.gguf?key=1#x") == "https://host/m.gguf"
    assert shown("https://host/\x1b[2J") == "https://host/?[2J"


def begun(server: FileServer, folder: Path, size: int) -> None:
    """Leave a part of so many bytes, as a killed command does."""
    server.files["/m.gguf"] = Served(MODEL, etag='"1"', breaks=[size, 0])
    with pytest.raises(ConnectionFailed):
        fetch(server.url + "/m.gguf", folder / "m.gguf")


def test_a_part_that_is_the_whole_file_is_put_in_its_place(server: FileServer, tmp_path: Path) -> None:
    begun(server, tmp_path, 1000)
    (tmp_path / ".m.gguf.part").write_bytes(MODEL)
    assert fetch(server.url + "/m.gguf", tmp_path / "m.gguf").read_bytes() == MODEL
    assert server.ranges()[-1] == f"bytes={len(MODEL)}-"
    assert left(tmp_path) == ["m.gguf"]


@pytest.mark.parametrize("note", [b"{", b"[]", b'{"url": "http://elsewhere/m.gguf", "mark": "1"}'])
def test_a_part_whose_note_is_damaged_is_thrown_away(note: bytes, server: FileServer, tmp_path: Path) -> None:
    begun(server, tmp_path, 1000)
    (tmp_path / ".m.gguf.part.json").write_bytes(note)
    assert fetch(server.url + "/m.gguf", tmp_path / "m.gguf").read_bytes() == MODEL
    assert server.ranges()[-1] is None


@pytest.mark.parametrize("piece", ["bytes 5-9/10", "nonsense"])
def test_another_piece_than_was_asked_for_is_refused(piece: str, server: FileServer, tmp_path: Path) -> None:
    begun(server, tmp_path, 1000)
    server.files["/m.gguf"] = Served(MODEL, etag='"1"', piece=piece)
    with pytest.raises(ConnectionFailed, match="a different part"):
        fetch(server.url + "/m.gguf", tmp_path / "m.gguf")
    assert left(tmp_path) == []


def test_nothing_that_follows_nothing_is_no_file(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL, status=416)
    with pytest.raises(LLMStreamError, match="416"):
        fetch(server.url + "/m.gguf", tmp_path / "m.gguf")
    assert left(tmp_path) == []


def test_a_disk_that_fills_is_said_and_nothing_is_left(server: FileServer, tmp_path: Path) -> None:
    server.files["/m.gguf"] = Served(MODEL, etag='"1"')
    with full_after(5000), pytest.raises(LocalModelError, match="no room for the model"):
        fetch(server.url + "/m.gguf", tmp_path / "m.gguf")
    assert left(tmp_path) == []
