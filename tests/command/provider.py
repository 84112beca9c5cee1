"""A provider for the tests, on loopback: what it answers is said by the first part of the path."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

WORDS = ["Hello", ", ", "wörld", "\n", "bye"]
TEXT = "".join(WORDS)
REFUSALS = {"401": 401, "404": 404, "429": 429, "500": 500}


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[defaultdict[str, list[dict[str, object]]]] = defaultdict(list)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        scenario = self.path.split("/")[1]
        self.seen[scenario].append({"body": body, "headers": dict(self.headers.items())})
        status = REFUSALS.get(scenario, 200)
        if scenario == "429-then-ok":
            status = 429 if len(self.seen[scenario]) == 1 else 200
        if status != 200:
            self.refuse(status)
        elif not body.get("stream"):
            self.whole()
        else:
            self.stream(scenario, "chat" in self.path)

    def refuse(self, status: int) -> None:
        key = self.headers.get("authorization", "").removeprefix("Bearer ")
        self.document(status, {"error": {"message": f"not with {key}", "type": "invalid_request_error"}})

    def document(self, status: int, document: dict[str, object]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def whole(self) -> None:
        self.document(200, {"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}]})

    def stream(self, scenario: str, chat: bool) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        words = ["safe ", "\x1b]0;title\x07", "end"] if scenario == "escape" else WORDS
        for word in words:
            self.event({"delta": {"content": word}} if chat else {"text": word})
        if scenario == "stall":
            self.server.stalled.wait(30)  # type: ignore[attr-defined]  # set at the end of the tests
        if scenario not in ("cut", "stall"):
            reason = "length" if scenario == "length" else "stop"
            self.event(
                {"delta": {}, "finish_reason": reason} if chat else {"text": "", "finish_reason": reason}
            )
            self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def event(self, choice: dict[str, object]) -> None:
        self.chunk(b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Provider(ThreadingHTTPServer):
    """The server; `url(scenario)` is what a base URL ends with ``/v1`` of."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stalled = threading.Event()
        self.seen = Handler.seen

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are a part of the tests."""

    def url(self, scenario: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{scenario}/v1"
