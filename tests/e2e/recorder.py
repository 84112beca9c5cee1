"""A provider of every dialect on loopback that keeps each request and answers it in a few words."""

from __future__ import annotations

import binascii
import json
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

WORDS: Final = ("Hello ", "there", ".")
TEXT: Final = "".join(WORDS)
MODELS: Final = ("alpha-1", "beta-2")


class Request(NamedTuple):
    """A request as it came; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """What the content says as JSON."""
        return json.loads(self.content)


def sse(documents: Iterable[object], *, named: bool = False) -> bytes:
    """Return server-sent events, named by their documents' types where the dialect does so."""
    lines = []
    for document in documents:
        name = f"event: {document['type']}\n" if named and isinstance(document, dict) else ""
        lines.append(f"{name}data: {document if isinstance(document, str) else json.dumps(document)}\n\n")
    return "".join(lines).encode()


def frame(kind: str, document: object) -> bytes:
    """Return one frame of AWS's event stream."""
    headers = b""
    for name, value in ((":message-type", "event"), (":event-type", kind)):
        headers += bytes([len(name)]) + name.encode() + b"\7" + struct.pack(">H", len(value)) + value.encode()
    payload = json.dumps(document).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    block = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + payload
    return block + struct.pack(">I", binascii.crc32(block))


def _chat(request: Request) -> bytes:
    usage = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    if not request.body.get("stream"):
        said = {"message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop", "index": 0}
        return json.dumps({"choices": [said], "usage": usage}).encode()
    said_so_far = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in WORDS]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage}
    return sse([*said_so_far, end, "[DONE]"])


def _completions(request: Request) -> bytes:
    said = [{"choices": [{"index": 0, "text": word, "finish_reason": None}]} for word in WORDS]
    return sse([*said, {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}, "[DONE]"])


def _responses(request: Request) -> bytes:
    said = [{"type": "response.output_text.delta", "output_index": 0, "delta": word} for word in WORDS]
    end = {"type": "response.completed", "response": {"status": "completed", "output": [], "error": None}}
    return sse([*said, end], named=True)


def _messages(request: Request) -> bytes:
    said = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        for word in WORDS
    ]
    end = [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]
    return sse([*said, *end], named=True)


def _gemini(request: Request) -> bytes:
    said = [{"candidates": [{"content": {"parts": [{"text": word}]}, "index": 0}]} for word in WORDS]
    return sse([*said, {"candidates": [{"content": {"parts": []}, "finishReason": "STOP", "index": 0}]}])


def _ollama(request: Request) -> bytes:
    said = [{"message": {"role": "assistant", "content": word}, "done": False} for word in WORDS]
    end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    return b"".join(json.dumps(line).encode() + b"\n" for line in (*said, end))


def _cohere(request: Request) -> bytes:
    said = [
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": word}}}}
        for word in WORDS
    ]
    return sse([*said, {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}], named=True)


def _bedrock(request: Request) -> bytes:
    said = [frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}}) for word in WORDS]
    end = [frame("messageStop", {"stopReason": "end_turn"}), frame("metadata", {"usage": {}})]
    return b"".join([*said, *end])


ANSWERS: Final[dict[str, tuple[str, Callable[[Request], bytes]]]] = {
    "/chat/completions": ("text/event-stream", _chat),
    "/completions": ("text/event-stream", _completions),
    "/responses": ("text/event-stream", _responses),
    "/messages": ("text/event-stream", _messages),
    ":streamGenerateContent": ("text/event-stream", _gemini),
    "/api/chat": ("application/x-ndjson", _ollama),
    "/v2/chat": ("text/event-stream", _cohere),
    "/converse-stream": ("application/vnd.amazon.eventstream", _bedrock),
}
"""Ends of paths, the more special ones first; their kind of content; what is answered."""

LISTS: Final[dict[str, object]] = {
    "/foundation-models": {"modelSummaries": [{"modelId": name} for name in MODELS]},
    "/api/tags": {"models": [{"name": name, "model": name} for name in MODELS]},
    "/v1beta/models": {"models": [{"name": f"models/{name}"} for name in MODELS]},
    "/cohere/v1/models": {"models": [{"name": name, "endpoints": ["chat"]} for name in MODELS]},
    "/models": {"data": [{"id": name} for name in MODELS]},
}
"""Ends of paths, the more special ones first, and the lists of models there."""


class Recorder(ThreadingHTTPServer):
    """The provider, a context manager that serves while it is open.

    Args:
        tls: to serve over, None for plain HTTP.

    `listed`: the list of models to answer with instead of that of the path, empty for that.
    """

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[Request] = []
        self.redirect_to = ""
        self.refusals: list[int] = []
        self.listed = b""
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A handshake that the client refuses is what some tests are about."""

    @property
    def last(self) -> Request:
        """The last request."""
        return self.requests[-1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def do_GET(self) -> None:
        """Answer with a list of models."""
        request = self._kept(b"")
        path = request.path.partition("?")[0]
        if "/login/" in path:
            self._answer(200, "text/html; charset=utf-8", b"<!doctype html><title>Sign in</title><p>x")
            return
        if "/nowhere/" in path:
            said = {"error": {"message": f"nothing here for {request.headers.get('authorization')}"}}
            self._answer(404, "application/json", json.dumps(said).encode())
            return
        found = next(body for end, body in LISTS.items() if path.endswith(end))
        self._answer(200, "application/json", self.server.listed or json.dumps(found).encode())

    def do_POST(self) -> None:
        """Answer in the dialect of the path."""
        request = self._kept(self.rfile.read(int(self.headers["content-length"])))
        if self.server.refusals:
            said = {"error": {"message": f"not with {' '.join(request.headers.values())}"}}
            refusal = self.server.refusals.pop(0)
            self._answer(refusal, "application/json", json.dumps(said).encode(), **{"retry-after": "0"})
            return
        if self.server.redirect_to:
            self._answer(307, "text/plain", b"", location=self.server.redirect_to + request.path)
            return
        path = request.path.partition("?")[0]
        kind, answer = next(found for end, found in ANSWERS.items() if path.endswith(end))
        content = answer(request)
        self._answer(200, "application/json" if content.startswith(b'{"choices"') else kind, content)

    def _kept(self, content: bytes) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, content)
        self.server.requests.append(request)
        return request

    def _answer(self, status: int, kind: str, content: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep standard error clean."""
