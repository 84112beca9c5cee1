"""Send, check and fetch a deferred job; each run continues where the last one stopped.

A batch is never created twice if it can be found again: its token is saved before it is created, and a
batch whose creation was not confirmed is searched for before another one is created.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from llmstream.errors import LLMStreamError, RequestRefused, UsageError
from llmstream.jobs.answers import encoded, line_of
from llmstream.jobs.deferred.anthropic import Anthropic
from llmstream.jobs.deferred.gemini import Gemini
from llmstream.jobs.deferred.interface import Interface, Outcome, Status, body_of, custom_id
from llmstream.jobs.deferred.openai import PATHS, OpenAI
from llmstream.jobs.deferred.state import StateFile
from llmstream.jobs.deferred.web import Web
from llmstream.jobs.inputs import Ask, Id
from llmstream.jobs.tally import Tally
from llmstream.jobs.work import Work
from llmstream.prompt import Json
from llmstream.runnable.targets import Target

FIRST_LOOK: Final = 1.0
LONGEST_LOOK: Final = 60.0
"""Seconds between two checks of a batch: at first, and at most."""
FETCHES: Final = 4
"""Most attempts to download a batch's results."""


def interface_of(target: Target) -> Interface:
    """Return the batch interface of a target's provider.

    Raises:
        UsageError: the provider has none.
    """
    # the local model speaks OpenAI's dialect, too, but has no batches
    if target.adapter in PATHS and target.local is None:
        return OpenAI(target.adapter)
    if target.adapter == "anthropic":
        return Anthropic()
    if target.adapter == "gemini":
        return Gemini()
    dialect = f" ({target.adapter})" if target.local is None else ""
    raise UsageError(
        f"{target.endpoint.provider}{dialect} has no batch interface that llmstream supports",
        hint="leave out --deferred to send the prompts directly",
    )


class Deferred:
    """One deferred job.

    Args:
        work: input and FILE, already open.
        tally: the counts, kept up to date.
        say: called with messages about the progress.
    """

    def __init__(self, work: Work, tally: Tally, say: Callable[[str], None]) -> None:
        assert work.file is not None
        self._work = work
        self._file = work.file
        self._tally = tally
        self._say = say
        self._state = StateFile(work.file.path)
        self._targets: dict[str, Target] = {}
        self._webs: dict[str, Web] = {}

    def run(self, *, wait: bool) -> bool:
        """Do everything that is possible now.

        Args:
            wait: keep checking until all batches have ended.

        Returns:
            Whether the job is done.

        Raises:
            LLMStreamError: a batch was refused or failed; the next run may send it again.
        """
        for ask in self._missing():
            self._targets.setdefault(_model_of(ask), ask.targets[0])
        for target in self._targets.values():
            interface_of(target)
        self._recover()
        while True:
            if self._state.entries:
                self._look(wait=wait)
            if not self._state.entries:
                self._send([])
                if not self._state.entries:
                    return True
                if wait:
                    continue
            return False

    def _missing(self) -> Iterator[Ask]:
        """Yield the questions without an answer in FILE or an outcome in this run."""
        for row in self._work.source.rows():
            ask = self._work.asked_in(row)
            if self._work.ledger.wants(ask.id, ask.key):
                yield ask

    def _recover(self) -> None:
        """Find out whether unconfirmed batches were created."""
        kept = []
        for entry in self._state.entries:
            if entry["step"] == "creating":
                web = self._web(entry)
                found = interface_of(web.target).find(web, entry)
                if found:
                    entry.update(batch=found, step="created")
                    self._say(f"found {found}, which an interrupted run had created")
            if entry["step"] == "created":
                kept.append(entry)
        if kept != self._state.entries:
            self._state.complete = False
        self._state.entries = kept
        if not self._state.complete:
            self._send(kept)
        self._state.save()

    def _send(self, covered: list[dict[str, Json]]) -> None:
        """Create batches of the missing requests.

        Args:
            covered: batches already created from this input; the prompts on their lines are skipped.
        """
        plan: dict[str, _Chunk] = {}
        self._state.complete = False
        for ask in self._missing():
            if any(_covers(entry, ask) for entry in covered):
                continue
            name = _model_of(ask)
            web = self._web_of(name, ask.targets[0])
            interface = interface_of(web.target)
            line = interface.line(custom_id(ask), body_of(web, ask))
            chunk = plan.get(name)
            if chunk is not None and not chunk.takes(line, interface):
                self._make(name, chunk)
                chunk = None
            if chunk is None:
                chunk = plan[name] = _Chunk(ask.number)
            chunk.add(line, ask.number)
        for name, chunk in plan.items():
            self._make(name, chunk)
        self._state.complete = True
        self._state.save()

    def _make(self, name: str, chunk: _Chunk) -> None:
        web = self._webs[name]
        entry: dict[str, Json] = {
            "provider": web.target.endpoint.provider, "model": name, "token": secrets.token_hex(8),
            "first": chunk.first, "last": chunk.last, "count": len(chunk.lines), "step": "planned",
        }  # fmt: skip
        self._state.entries.append(entry)
        self._state.save()

        def save(known: Mapping[str, Json]) -> None:
            entry.update(known)
            self._state.save()

        try:
            id_ = interface_of(web.target).submit(web, entry, chunk.lines, save)
        except LLMStreamError as error:
            if error.status is not None:
                # it was refused, so there is no batch
                self._state.entries.remove(entry)
                self._state.save()
            raise
        save({"batch": id_, "step": "created", "known": None})
        self._say(f"submitted {len(chunk.lines)} prompts to {name} as {id_}")

    def _look(self, *, wait: bool) -> None:
        """Check all batches, and fetch the results of those that have ended."""
        pause = FIRST_LOOK
        while True:
            for entry in list(self._state.entries):
                self._look_at(entry)
            if not self._state.entries or not wait:
                return
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK)

    def _look_at(self, entry: dict[str, Json]) -> None:
        web = self._web(entry)
        interface = interface_of(web.target)
        status = interface.status(web, str(entry["batch"]))
        if status.state == "running":
            total = status.total or entry["count"]
            self._say(
                f"{entry['batch']} ({entry['model']}): {status.said}, {status.done} of {total} done; "
                "not finished yet"
            )
            return
        if status.state == "ended":
            self._fetch(entry, web, interface, status)
            self._file.sync()
        self._state.entries.remove(entry)
        self._state.save()
        if status.state == "failed":
            raise RequestRefused(
                f"{entry['provider']}: batch {entry['batch']} failed: {status.flaw or 'no reason given'}",
                hint="run the same command again to resubmit it",
                provider=str(entry["provider"]),
            )

    def _fetch(self, entry: dict[str, Json], web: Web, interface: Interface, status: Status) -> None:
        """Write a batch's outcomes, each once, even if the download breaks off."""
        ids = {custom_id(ask): (ask.id, ask.key) for ask in self._missing() if _covers(entry, ask)}
        attempt = 0
        while True:
            attempt += 1
            try:
                for outcome in interface.results(web, status):
                    self._write(outcome, ids)
                return
            except LLMStreamError as error:
                if attempt == FETCHES or not error.retryable:
                    raise
                time.sleep(attempt * 0.5)

    def _write(self, outcome: Outcome, ids: dict[str, tuple[Id, int]]) -> None:
        name, completion, error = outcome
        id_, key = ids.pop(name, (None, 0))
        if id_ is None or not self._work.ledger.take(id_, key):
            return
        self._file.append(encoded(line_of(id_, key, completion, error, timed=False)))
        self._tally.add(id_, completion, error)

    def _web(self, entry: Mapping[str, Json]) -> Web:
        name = str(entry["model"])
        if name not in self._targets:
            self._targets[name] = self._work.target_of(name)
        return self._web_of(name, self._targets[name])

    def _web_of(self, name: str, target: Target) -> Web:
        if name not in self._webs:
            self._webs[name] = Web(target)
        return self._webs[name]


class _Chunk:
    """The requests of one batch."""

    def __init__(self, first: int) -> None:
        self.first = self.last = first
        self.lines: list[bytes] = []
        self._size = 0

    def takes(self, line: bytes, interface: Interface) -> bool:
        return len(self.lines) < interface.most and self._size + len(line) < interface.largest

    def add(self, line: bytes, number: int) -> None:
        self.lines.append(line)
        self._size += len(line) + 1
        self.last = number


def _model_of(ask: Ask) -> str:
    endpoint = ask.targets[0].endpoint
    return f"{endpoint.provider}/{endpoint.model}"


def _covers(entry: Mapping[str, Json], ask: Ask) -> bool:
    first, last = entry["first"], entry["last"]
    assert isinstance(first, int) and isinstance(last, int)
    return entry["model"] == _model_of(ask) and first <= ask.number <= last
