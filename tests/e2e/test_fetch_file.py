"""Files that are fetched from an address: redirects, limits, refusals."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from llmstream.errors import ConnectionFailed, UsageError
from llmstream.transport.http.documents import fetch_file

LIMIT = 1000


class Files(BaseHTTPRequestHandler):
    """``/N`` is a file of N bytes; ``/to/PLACE`` redirects; ``/endless`` never ends; all else is not there."""

    protocol_version = "HTTP/1.1"
    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        """Answer."""
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        first, _, rest = self.path[1:].partition("/")
        if first.isdigit():
            self._answer(200, b"x" * int(first))
        elif first == "to":
            self._answer(302, b"gone there", location=rest)
        elif first == "endless":
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            while True:
                try:
                    self.wfile.write(b"x" * 65536)
                except OSError:
                    return
        else:
            self._answer(404, b"nothing")

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep standard error clean."""


@pytest.fixture
def files() -> Iterator[str]:
    """The address of a server of files."""
    Files.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["1000", "to//1000", "to/../1000", "to//to//1000", "0"])
def test_a_file_is_fetched_and_redirects_on_its_host_are_followed(files: str, path: str) -> None:
    assert fetch_file(f"{files}/{path}", limit=LIMIT) == b"x" * int(path.rpartition("/")[2])
    assert all("authorization" not in headers for headers in Files.seen)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("1001", "larger than"),
        ("endless", "larger than"),
        ("nowhere", "404 Not Found"),
        ("to/http://localhost:1/x", "redirects to http://localhost:1/x, which is not followed"),
        ("to/file:///etc/passwd", "which is not followed"),
        ("to/http://[", "can't be read"),
        ("to//" + "to//" * 5 + "1", r"redirects too often \(5 times\)"),
    ],
)
def test_what_can_not_be_had_is_said(files: str, path: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fetch_file(f"{files}/{path}", limit=LIMIT)


def test_nobody_there_and_no_address_are_told_apart() -> None:
    with pytest.raises(ConnectionFailed, match=r"^http://127\.0\.0\.1:1/x: "):
        fetch_file("http://127.0.0.1:1/x?token=secret", limit=LIMIT)
    for address in ("http://[/", "http:///x", "http://h:port/"):
        with pytest.raises(UsageError, match=r"can't be read|not a usable URL"):
            fetch_file(address, limit=LIMIT)
