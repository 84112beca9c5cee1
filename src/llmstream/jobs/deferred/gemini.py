"""Gemini's batch interface, with the requests in the body.

Source: Gemini API reference, "Batch API" (v1beta): ``models.batchGenerateContent`` with
``inputConfig.requests`` of at most 20 MB; a long-running operation ``batches/ID`` whose metadata has
``displayName`` and ``state``, and whose response has ``inlinedResponses``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.errors import BadMessage, LLMStreamError, Unavailable
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

PAGES: Final = 20
ENDED: Final = ("SUCCEEDED", "EXPIRED", "CANCELLED")
CODES: Final = {3: 400, 5: 404, 7: 403, 8: 429, 13: 500, 14: 503, 16: 401}
"""HTTP status for each google.rpc.Code."""


class Gemini:
    """The ``batchGenerateContent`` interface."""

    most = 50_000
    # leaves part of Google's 20 MB for the text around the requests
    largest = 18 << 20

    def line(self, custom_id: str, body: dict[str, Json]) -> bytes:
        """Return one request."""
        request: dict[str, Json] = {"request": body, "metadata": {"key": custom_id}}
        return json.dumps(request, separators=(",", ":")).encode()

    def submit(self, web: Web, entry: dict[str, Json], lines: list[bytes], save: Save) -> str:
        """Create the batch."""
        save({"step": "creating"})
        name = json.dumps(f"llmstream-{entry['token']}").encode()
        body = b"".join(
            [
                b'{"batch":{"displayName":', name, b',"inputConfig":{"requests":{"requests":[',
                b",".join(lines), b"]}}}}",
            ]
        )  # fmt: skip
        model = web.target.endpoint.model.removeprefix("models/")
        return web.id_in(web.post(f"/models/{model}:batchGenerateContent", body), "name")

    def find(self, web: Web, entry: Mapping[str, Json]) -> str | None:
        """Return the batch with our token in its name, None if there is none."""
        wanted, token = f"llmstream-{entry['token']}", ""
        for _ in range(PAGES):
            page = web.get("/batches?pageSize=100" + (f"&pageToken={token}" if token else ""))
            found = page.get("operations") or page.get("batches")
            for batch in found if isinstance(found, list) else []:
                if isinstance(batch, dict) and wanted in (
                    text_at(batch, "metadata", "displayName"), text_at(batch, "displayName"),
                ):  # fmt: skip
                    return web.id_in(batch, "name")
            token = text_at(page, "nextPageToken")
            if not token:
                return None
        return None

    def status(self, web: Web, id_: str) -> Status:
        """Return a batch's status."""
        batch = web.get(f"/{id_}", seconds=600.0)
        said = text_at(batch, "metadata", "state") or text_at(batch, "state")
        word = said.rpartition("STATE_")[2]
        state: State = "ended" if word in ENDED else "failed" if word == "FAILED" else "running"
        stats = ("metadata", "batchStats")
        total = count_at(batch, *stats, "requestCount")
        done = total - count_at(batch, *stats, "pendingRequestCount") if total else 0
        return Status(
            state, word.lower() or "pending", done, total, batch, text_at(batch, "error", "message")
        )

    def results(self, web: Web, status: Status) -> Iterator[Outcome]:
        """Yield the outcomes; an expired batch may have none."""
        for entry in _responses(status.document):
            key = text_at(entry, "metadata", "key")
            if not key:
                raise BadMessage("a result of the batch has no key that matches it to a prompt")
            response, error = entry.get("response"), entry.get("error")
            if isinstance(response, dict):
                completion, wrong = completion_of(web, response)
                yield key, completion, wrong
                continue
            failure: LLMStreamError = named(web, Unavailable("no answer"))
            if isinstance(error, dict):
                code = count_at(error, "code")
                failure = refusal(web, CODES.get(code, 400 if code < 400 else code), {"error": error})
            yield key, nothing(web), failure


def _responses(batch: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    """Yield the inlined responses, from the operation's response or its metadata."""
    metadata = batch.get("metadata")
    places = [batch.get("response"), metadata.get("output") if isinstance(metadata, dict) else None]
    for place in places:
        found: Json = place
        for _ in range(2):
            found = found.get("inlinedResponses") if isinstance(found, dict) else found
        if isinstance(found, list):
            yield from (entry for entry in found if isinstance(entry, dict))
            return
