"""OpenAI's batch interface, which Groq and others also offer.

Sources: OpenAI API reference, "Batch" and "Files"; guide "Batch API": one JSON Lines file, at most
50 000 requests and 200 MB, of one model; results in an output file and an error file, either of
which may be missing, in any order, also after ``expired`` and ``cancelled``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.errors import BadMessage, LLMStreamError, RequestRefused, Unavailable
from llmstream.jobs.deferred.interface import (
    Outcome,
    Save,
    State,
    Status,
    completion_of,
    named,
    nothing,
    refusal,
)
from llmstream.jobs.deferred.web import Web, count_at, text_at
from llmstream.prompt import Json

PATHS: Final = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "openai-completions": "/v1/completions",
}
ENDED: Final = frozenset({"completed", "expired", "cancelled"})
PAGES: Final = 20
"""Most pages, of a hundred batches each, that are searched for a lost batch."""
NAME: Final = "llmstream"
"""The key of our token in a batch's metadata."""


class OpenAI:
    """The ``/files`` and ``/batches`` interface.

    Args:
        adapter: the adapter of its requests, a key of PATHS.
    """

    most = 50_000
    # less than OpenAI's 200 MB, because a batch is built in memory
    largest = 32 << 20

    def __init__(self, adapter: str) -> None:
        self._endpoint = PATHS[adapter]

    def line(self, custom_id: str, body: dict[str, Json]) -> bytes:
        """Return one line of the file."""
        request: dict[str, Json] = {
            "custom_id": custom_id, "method": "POST", "url": self._endpoint, "body": body,
        }  # fmt: skip
        return json.dumps(request, separators=(",", ":")).encode()

    def submit(self, web: Web, entry: dict[str, Json], lines: list[bytes], save: Save) -> str:
        """Upload the file and create the batch."""
        token = str(entry["token"])
        boundary = secrets.token_hex(16)
        body = b"".join(
            [
                f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
                f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
                f'filename="llmstream-{token}.jsonl"\r\nContent-Type: application/jsonl\r\n\r\n'.encode(),
                b"\n".join(lines),
                f"\n\r\n--{boundary}--\r\n".encode(),
            ]
        )
        file = web.post("/files", body, f"multipart/form-data; boundary={boundary}")
        id_ = web.id_in(file)
        save({"file": id_, "step": "creating"})
        wanted = {
            "input_file_id": id_, "endpoint": self._endpoint, "completion_window": "24h",
            "metadata": {NAME: token},
        }  # fmt: skip
        return web.id_in(web.post("/batches", json.dumps(wanted).encode()))

    def find(self, web: Web, entry: Mapping[str, Json]) -> str | None:
        """Return the batch with our token in its metadata, None if there is none."""
        path = "/batches?limit=100"
        for _ in range(PAGES):
            page = web.get(path)
            batches = page.get("data")
            found = batches if isinstance(batches, list) else []
            for batch in found:
                if isinstance(batch, dict) and text_at(batch, "metadata", NAME) == entry["token"]:
                    return web.id_in(batch)
            if not page.get("has_more") or not found or not isinstance(found[-1], dict):
                return None
            path = f"/batches?limit=100&after={web.id_in(found[-1])}"
        return None

    def status(self, web: Web, id_: str) -> Status:
        """Return a batch's status."""
        batch = web.get(f"/batches/{id_}")
        said = text_at(batch, "status")
        state: State = "ended" if said in ENDED else "failed" if said == "failed" else "running"
        done = count_at(batch, "request_counts", "completed") + count_at(batch, "request_counts", "failed")
        return Status(state, said, done, count_at(batch, "request_counts", "total"), batch, _flaw(batch))

    def results(self, web: Web, status: Status) -> Iterator[Outcome]:
        """Yield the outcomes in both files."""
        for name in ("output_file_id", "error_file_id"):
            file = text_at(status.document, name)
            if file:
                for line in web.lines(f"/files/{file}/content"):
                    if line.strip():
                        yield self._outcome(web, line)

    def _outcome(self, web: Web, line: bytes) -> Outcome:
        try:
            document = json.loads(line)
            id_ = str(document["custom_id"])
            response, error = document.get("response"), document.get("error")
            status = int(response["status_code"]) if response else 0
        except (ValueError, KeyError, TypeError, AttributeError) as failure:
            raise BadMessage(f"a line of the results is malformed: {failure!r}") from failure
        if response and status < 300:
            completion, wrong = completion_of(web, response.get("body"))
            return id_, completion, wrong
        failure_: LLMStreamError
        if response:
            failure_ = refusal(web, status, response.get("body"))
        else:
            code, said = text_at(error or {}, "code"), text_at(error or {}, "message")
            kind = Unavailable if code in ("batch_expired", "batch_cancelled") else RequestRefused
            failure_ = named(web, kind(f"{said or 'no answer'} ({code or 'no code'})"))
        return id_, nothing(web), failure_


def _flaw(batch: Mapping[str, Json]) -> str:
    errors = batch.get("errors")
    found = errors.get("data") if isinstance(errors, dict) else None
    parts = []
    for error in found if isinstance(found, list) else []:
        if isinstance(error, dict):
            line = f"line {error['line']}: " if error.get("line") else ""
            parts.append(f"{line}{text_at(error, 'code')}: {text_at(error, 'message')}")
    return "; ".join(parts[:3])
