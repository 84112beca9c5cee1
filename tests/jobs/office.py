"""Three providers' batch interfaces on a real socket in this process: OpenAI's, Anthropic's, Gemini's.

A batch is done at its second look.  The answer to a prompt is ``re: PROMPT``, unless its first word is
``refuse``, ``expire`` or ``odd`` (an answer that is not of the API).  Results come in the reverse order.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

Document: TypeAlias = dict[str, Any]
DONE: Final = 2
"""The look at which a batch is done."""

FAILED: Final = ("refuse", "expire")
"""First words of prompts that get no answer."""


@dataclass
class Fault:
    """What goes wrong with the next request to an address.

    Args:
        where: how its method and path begin.
        status: is answered in place of the work, 0 to do it.
        body: of that answer.
        cut: bytes of the work's answer after which the connection is dropped, None for all of them.
    """

    where: str
    status: int = 0
    body: bytes = b"{}"
    cut: int | None = None


@dataclass
class Batch:
    """One batch: its requests as they came, custom id and prompt each, and the name that we gave it."""

    id: str
    requests: list[tuple[str, str]]
    mark: str = ""
    looks: int = 0
    flaw: str = ""


class Office:
    """Serves the interfaces while its block runs.

    Attributes:
        seen: method and path of each request.
        batches: those that were made, in their order.
        faults: what is to go wrong, each once.
        page: how many batches a list has.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.batches: dict[str, Batch] = {}
        self.faults: list[Fault] = []
        self.page = 100
        self._files: list[bytes] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True)

    def __enter__(self) -> Office:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def base_url(self, adapter: str) -> str:
        """Return the address that a provider's configuration has."""
        path = {"anthropic": "", "gemini": "/v1beta"}.get(adapter, "/v1")
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def asked(self, where: str) -> int:
        """Return how many requests there were whose method and path begin so."""
        return sum(one.startswith(where) for one in self.seen)

    def make(self, mark: str, requests: list[tuple[str, str]]) -> Batch:
        """Make a batch."""
        name = f"b{len(self.batches) + 1}"
        self.batches[name] = made = Batch(name, requests, mark)
        return made

    def routed(self, method: str, path: str, body: bytes) -> object:
        """Do a request's work and return the answer, text or a document."""
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.startswith("/v1beta"):
            return self._gemini(method, url.path.removeprefix("/v1beta"), query, body)
        if url.path.startswith("/v1/messages"):
            return self._anthropic(method, url.path.removeprefix("/v1/messages/batches"), body)
        return self._openai(method, url.path.removeprefix("/v1"), query, body)

    def _openai(self, method: str, path: str, query: dict[str, str], body: bytes) -> object:
        if path == "/files":
            self._files.append(body.split(b"\r\n\r\n")[-1].rpartition(b"\r\n--")[0])
            return {"id": f"file-{len(self._files) - 1}"}
        if path == "/batches" and method == "POST":
            wanted = json.loads(body)
            lines = self._files[int(wanted["input_file_id"][5:])].splitlines()
            requests = [(one["custom_id"], prompt_in(one["body"])) for one in map(json.loads, lines) if one]
            return openai_batch(self.make(wanted["metadata"]["llmstream"], requests))
        if path == "/batches":
            newest = [*reversed(self.batches)]
            begin = newest.index(query["after"]) + 1 if "after" in query else 0
            found = [openai_batch(self.batches[one]) for one in newest[begin : begin + self.page]]
            return {"data": found, "has_more": begin + self.page < len(newest)}
        if found_file := re.fullmatch(r"/files/(out|err)-(\w+)/content", path):
            good = found_file[1] == "out"
            requests = self.batches[found_file[2]].requests
            wanted_ones = [one for one in requests if (one[1].split()[0] not in FAILED) is good]
            return lines_of(openai_outcome(*one) for one in reversed(wanted_ones))
        return openai_batch(self._looked_at(path.removeprefix("/batches/")))

    def _anthropic(self, method: str, path: str, body: bytes) -> object:
        if method == "POST":
            requests = [(one["custom_id"], prompt_in(one["params"])) for one in json.loads(body)["requests"]]
            return anthropic_batch(self.make("", requests))
        if not path:
            return {"data": [anthropic_batch(one) for one in reversed(self.batches.values())]}
        if path.endswith("/results"):
            requests = self.batches[path[1:].removesuffix("/results")].requests
            return lines_of(anthropic_outcome(*one) for one in reversed(requests))
        return anthropic_batch(self._looked_at(path[1:]))

    def _gemini(self, method: str, path: str, query: dict[str, str], body: bytes) -> object:
        if method == "POST":
            batch = json.loads(body)["batch"]
            requests = batch["inputConfig"]["requests"]["requests"]
            made = [
                (one["metadata"]["key"], one["request"]["contents"][-1]["parts"][0]["text"])
                for one in requests
            ]
            return gemini_batch(self.make(batch["displayName"], made))
        if path == "/batches":
            begin = int(query.get("pageToken", 0))
            found = [gemini_batch(one) for one in [*self.batches.values()][begin : begin + self.page]]
            more = begin + self.page < len(self.batches)
            return {"operations": found, **({"nextPageToken": str(begin + self.page)} if more else {})}
        return gemini_batch(self._looked_at(path.removeprefix("/batches/")))

    def _looked_at(self, name: str) -> Batch:
        batch = self.batches[name]
        batch.looks += 1
        return batch

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                office.seen.append(f"{self.command} {self.path}")
                fault = next(
                    (one for one in office.faults if office.seen[-1].startswith(one.where)), Fault("")
                )
                if fault.where:
                    office.faults.remove(fault)
                answer = fault.body if fault.status else office.routed(self.command, self.path, body)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.close_connection = True
                if fault.cut == 0:
                    return
                self.send_response(fault.status or 200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: fault.cut])

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def prompt_in(body: Document) -> str:
    """Return the prompt in the body of a chat request."""
    content = body["messages"][-1]["content"]
    return str(content if isinstance(content, str) else content[0]["text"])


def lines_of(documents: Any) -> bytes:
    """Return documents as JSON Lines, with a blank one at the end."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in documents) + b"\n"


def openai_batch(batch: Batch) -> Document:
    """Return a batch as OpenAI shows it."""
    status = "failed" if batch.flaw else "completed" if batch.looks >= DONE else "in_progress"
    document: Document = {
        "id": batch.id, "status": status, "metadata": {"llmstream": batch.mark},
        "request_counts": {"total": len(batch.requests), "completed": 0, "failed": 0},
    }  # fmt: skip
    if batch.flaw:
        document["errors"] = {"data": [{"code": "bad_line", "line": 1, "message": batch.flaw}]}
    if batch.looks >= DONE:
        document["output_file_id"] = f"out-{batch.id}"
        if any(prompt.split()[0] in FAILED for _, prompt in batch.requests):
            document["error_file_id"] = f"err-{batch.id}"
    return document


def openai_outcome(id_: str, prompt: str) -> Document:
    """Return a line of OpenAI's output file or error file."""
    kind = prompt.split()[0]
    if kind == "expire":
        error = {"code": "batch_expired", "message": "it came too late"}
        return {"custom_id": id_, "response": None, "error": error}
    if kind == "refuse":
        body: object = {"error": {"message": "not this one"}}
        return {"custom_id": id_, "response": {"status_code": 400, "body": body}, "error": None}
    message = {"role": "assistant", "content": f"re: {prompt}"}
    body = {"choices": 5 if kind == "odd" else [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return {"custom_id": id_, "response": {"status_code": 200, "body": body}, "error": None}


def anthropic_batch(batch: Batch) -> Document:
    """Return a batch as Anthropic shows it."""
    done, count = batch.looks >= DONE, len(batch.requests)
    counts = {"processing": 0 if done else count, "succeeded": count if done else 0}
    return {
        "id": batch.id, "processing_status": "ended" if done else "in_progress", "request_counts": counts,
    }  # fmt: skip


def anthropic_outcome(id_: str, prompt: str) -> Document:
    """Return a line of Anthropic's results."""
    kind = prompt.split()[0]
    if kind == "expire":
        return {"custom_id": id_, "result": {"type": "expired"}}
    if kind == "refuse":
        error = {"type": "invalid_request_error", "message": "not this one"}
        return {"custom_id": id_, "result": {"type": "errored", "error": {"type": "error", "error": error}}}
    content = 5 if kind == "odd" else [{"type": "text", "text": f"re: {prompt}"}]
    message = {"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn"}
    return {"custom_id": id_, "result": {"type": "succeeded", "message": message}}


def gemini_batch(batch: Batch) -> Document:
    """Return a batch as Gemini shows it."""
    done = batch.looks >= DONE
    word = "FAILED" if batch.flaw else "SUCCEEDED" if done else "RUNNING"
    stats = {"requestCount": str(len(batch.requests)), "pendingRequestCount": str(len(batch.requests))}
    metadata = {"displayName": batch.mark, "state": f"BATCH_STATE_{word}", "batchStats": stats}
    document: Document = {"name": f"batches/{batch.id}", "metadata": metadata}
    if batch.flaw:
        document["error"] = {"message": batch.flaw}
    if done:
        answers = [gemini_outcome(*one) for one in reversed(batch.requests)]
        document["response"] = {"inlinedResponses": {"inlinedResponses": answers}}
    return document


def gemini_outcome(id_: str, prompt: str) -> Document:
    """Return one of Gemini's inlined responses."""
    kind = prompt.split()[0]
    document: Document = {"metadata": {"key": id_}}
    if kind == "refuse":
        document["error"] = {"code": 3, "message": "not this one"}
    elif kind != "expire":
        parts = 5 if kind == "odd" else [{"text": f"re: {prompt}"}]
        document["response"] = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    return document
