"""A server of files on a loopback port, which misbehaves where a test asks it to."""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass
class Served:
    """One path of the server.

    Args:
        body: the whole file.
        status: of every answer, 200 and 206 apart.
        etag: its mark; None for none.
        breaks: for each answer in turn, after how many bytes the connection is dropped.
        to: where it redirects to, None for nowhere.
        ranges: whether pieces are served.
        length: whether Content-Length is sent.
        piece: a wrong Content-Range for pieces, empty for the right one.
    """

    body: bytes = b""
    status: int = 200
    etag: str | None = None
    breaks: list[int] = field(default_factory=list)
    to: str | None = None
    ranges: bool = True
    length: bool = True
    piece: str = ""


class FileServer:
    """Serves `files` by path while its block runs and notes each request's path and headers."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> FileServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def ranges(self) -> list[str | None]:
        """Return what each request asked for by Range."""
        return [headers.get("range") for _, headers in self.seen]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.seen.append((self.path, headers))
                served = outer.files.get(self.path.partition("?")[0])
                _answer(self, served or Served(b'{"error": "no such thing"}', 404), headers)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def _answer(handler: BaseHTTPRequestHandler, served: Served, asked: dict[str, str]) -> None:
    start = _start(served, asked)
    partial = start is not None and start < len(served.body)
    status = 206 if partial else 416 if start is not None else served.status
    body = b"" if status == 416 else served.body[start or 0 :]
    handler.send_response(status)
    if served.to is not None:
        handler.send_header("Location", served.to)
    if served.etag is not None:
        handler.send_header("ETag", served.etag)
    if status == 416:
        handler.send_header("Content-Range", f"bytes */{len(served.body)}")
    if partial:
        right = f"bytes {start}-{len(served.body) - 1}/{len(served.body)}"
        handler.send_header("Content-Range", served.piece or right)
    if served.length:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    with contextlib.suppress(ConnectionError):
        handler.wfile.write(body[: served.breaks.pop(0)] if served.breaks else body)
    handler.close_connection = True


def _start(served: Served, asked: dict[str, str]) -> int | None:
    found = re.fullmatch(r"bytes=(\d+)-", asked.get("range", ""))
    if found is None or not served.ranges or asked.get("if-range") != served.etag:
        return None
    return int(found[1])
