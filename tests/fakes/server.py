"""The fake provider: four dialects on loopback, in a process of its own.

``python -m fakes.server`` prints ``{"port": N}`` and serves until its standard input ends.
Addresses are ``/SCENARIO~TAG/...``: the scenario says what the answer is like, the tag whose it
is.  A test asks by its tag:

    GET /_log/TAG          the requests so far: method, path, headers, body
    GET /_wait/TAG/EVENT   answers when EVENT has happened: request, or gone (the client left)
    GET /_open/TAG         lets an answer that waits at its gate go on
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import fakes.faults  # noqa: F401  # adds its scenarios to the table
from fakes.scenarios import SCENARIOS

PATIENCE: Final = 30.0
"""Seconds after which a wait fails, so that a broken test ends."""
DIALECTS: Final = {
    "/chat/completions": "chat",
    "/completions": "completions",
    "/messages": "anthropic",
    "/api/chat": "ollama",
}
MODELS: Final = ("m1", "m2", "mega\x1b[31m-3")


class State:
    """What the connections share."""

    def __init__(self) -> None:
        self.requests: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.events: dict[tuple[str, str], threading.Event] = defaultdict(threading.Event)


class Handler(BaseHTTPRequestHandler):
    """One connection; also the `Answer` that a scenario writes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: State
    tag = ""
    key = ""
    dialect = ""
    number = 0
    body: dict[str, Any]

    def do_GET(self) -> None:
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[0] == "_log":
            self.whole(200, self.state.requests[parts[1]])
        elif parts[0] == "_wait":
            happened = self.state.events[parts[1], parts[2]].wait(PATIENCE)
            self.whole(200 if happened else 504, happened)
        elif parts[0] == "_open":
            self.state.events[parts[1], "gate"].set()
            self.whole(200, True)
        else:
            self._noted({})
            self.whole(200, {"data": [{"id": name, "object": "model"} for name in MODELS]})

    def do_POST(self) -> None:
        self.body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = self._noted(self.body)
        try:
            SCENARIOS[name](self)
        except OSError:
            self.close_connection = True
        self.state.events[self.tag, "gone"].set()

    def _noted(self, body: dict[str, Any]) -> str:
        """Keep the request for the log, and return its scenario."""
        name, _, self.tag = self.path.split("/")[1].partition("~")
        self.dialect = next((name for end, name in DIALECTS.items() if self.path.endswith(end)), "")
        self.key = self.headers.get("authorization", "").removeprefix("Bearer ")
        self.key = self.headers.get("x-api-key", self.key)
        headers = {key.lower(): value for key, value in self.headers.items()}
        known = self.state.requests[self.tag]
        self.number = len(known)
        known.append({"method": self.command, "path": self.path, "headers": headers, "body": body})
        self.state.events[self.tag, "request"].set()
        return name

    def head(self, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for key, value in {"content-type": "text/event-stream", **headers}.items():
            self.send_header(key, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def raw(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def whole(self, status: int, document: object, **headers: str) -> None:
        data = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        self.send_response(status)
        for key, value in {"content-type": "application/json", **headers}.items():
            self.send_header(key, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def gone(self) -> None:
        while self.connection.recv(65536):
            pass
        self.close_connection = True

    def gate(self) -> None:
        self.state.events[self.tag, "gate"].wait(PATIENCE)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # close() would wait for the files made of it

    def log_message(self, format: str, *args: object) -> None:
        """Keep standard error clean."""


class Server(ThreadingHTTPServer):
    """Takes as many connections at once as a test makes."""

    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what many tests are about."""


def main() -> None:
    """Serve until standard input ends, that is, until the tests are over, however they end."""
    Handler.state = State()
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(json.dumps({"port": server.server_port}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        os._exit(0)


if __name__ == "__main__":
    main()
