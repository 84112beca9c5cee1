"""Anthropic's message batches.

Source: Anthropic API reference, "Create a Message Batch": at most 100 000 requests and 256 MB,
custom ids of at most 64 of ``[a-zA-Z0-9_-]``; results as JSON Lines in any order. A batch can't be
given a name: a new one of the same size is taken for one whose creation was not confirmed. If it is
another one after all, the ids in its results don't match, and the prompts are sent again.
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

COUNTS: Final = ("processing", "succeeded", "errored", "canceled", "expired")
PATH: Final = "/v1/messages/batches"
STATUSES: Final = {
    "invalid_request_error": 400, "authentication_error": 401, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "overloaded_error": 529,
}  # fmt: skip


class Anthropic:
    """The ``/v1/messages/batches`` interface."""

    most = 100_000
    # less than Anthropic's 256 MB, because a batch is built in memory
    largest = 32 << 20

    def line(self, custom_id: str, body: dict[str, Json]) -> bytes:
        """Return one request."""
        return json.dumps({"custom_id": custom_id, "params": body}, separators=(",", ":")).encode()

    def submit(self, web: Web, entry: dict[str, Json], lines: list[bytes], save: Save) -> str:
        """Create the batch."""
        save({"step": "creating", "known": [id_ for id_, _ in _batches(web)]})
        made = web.post(PATH, b'{"requests":[' + b",".join(lines) + b"]}")
        return web.id_in(made)

    def find(self, web: Web, entry: Mapping[str, Json]) -> str | None:
        """Return a batch of our size that is new since the attempt to create one, None if there is none."""
        known = entry.get("known")
        before = known if isinstance(known, list) else []
        return next(
            (id_ for id_, total in _batches(web) if id_ not in before and total == entry["count"]), None
        )

    def status(self, web: Web, id_: str) -> Status:
        """Return a batch's status."""
        batch = web.get(f"{PATH}/{id_}")
        said = text_at(batch, "processing_status")
        state: State = "ended" if said == "ended" else "running"
        total = _total(batch)
        return Status(state, said, total - count_at(batch, "request_counts", "processing"), total, batch)

    def results(self, web: Web, status: Status) -> Iterator[Outcome]:
        """Yield the outcomes.

        They are requested at the provider's own address, whatever ``results_url`` says, to protect the key.
        """
        for line in web.lines(f"{PATH}/{text_at(status.document, 'id')}/results"):
            if line.strip():
                yield self._outcome(web, line)

    def _outcome(self, web: Web, line: bytes) -> Outcome:
        try:
            document = json.loads(line)
            id_, result = str(document["custom_id"]), document["result"]
            kind = result["type"]
        except (ValueError, KeyError, TypeError) as failure:
            raise BadMessage(f"a line of the results is malformed: {failure!r}") from failure
        if kind == "succeeded":
            completion, wrong = completion_of(web, result.get("message"))
            return id_, completion, wrong
        error: LLMStreamError
        if kind == "errored":
            said = result.get("error") or {}
            error = refusal(web, STATUSES.get(text_at(said, "error", "type"), 400), said)
        else:
            error = named(web, Unavailable(f"the request was not answered ({kind})"))
        return id_, nothing(web), error


def _batches(web: Web) -> list[tuple[str, int]]:
    """Return the ids and sizes of the latest batches, a hundred at most."""
    found = web.get(f"{PATH}?limit=100").get("data")
    entries = found if isinstance(found, list) else []
    return [(text_at(batch, "id"), _total(batch)) for batch in entries if isinstance(batch, dict)]


def _total(batch: Mapping[str, Json]) -> int:
    return sum(count_at(batch, "request_counts", name) for name in COUNTS)
