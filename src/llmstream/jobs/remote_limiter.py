"""A provider's limiter in its own actor, and its client in remote jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from llmstream.jobs.limiter import Limiter
from llmstream.record import Record


class Note(Record):
    """An observation of one request: ``answered``, ``overloaded`` or ``told``; see the methods of Limiter.

    Args:
        what: the name of the method.
        sent_at: when the request was sent, by the keeper's clock.
        retry_after: seconds that the server asked to wait.
        status: the response's status.
        headers: the response's headers about limits.
    """

    what: str
    sent_at: float = 0.0
    retry_after: float | None = None
    status: int = 0
    headers: Mapping[str, str] = {}


class LimiterKeeper:
    """An actor with one provider's limiter."""

    def __init__(self, rpm: float, tpm: float, jobs: int) -> None:
        self._loop = asyncio.get_event_loop()
        self._limiter = Limiter(rpm, tpm, jobs, self._loop.time)

    async def enter(self, tokens: int) -> tuple[int, float, bool]:
        """Wait; return the tokens charged, the time on this actor's clock, and whether asking is hopeless."""
        charged = await self._limiter.enter(tokens)
        return charged, self._loop.time(), self._limiter.hopeless()

    async def leave(self, charged: int, used: int | None, notes: list[Note]) -> None:
        """Record the observations of one request, and end it."""
        for note in notes:
            if note.what == "answered":
                self._limiter.answered(self._loop.time())
            elif note.what == "told":
                self._limiter.told(note.status, note.headers)
            else:
                self._limiter.overloaded(note.sent_at, note.retry_after)
        self._limiter.leave(charged, used)


class RemoteLimiter:
    """A client of a LimiterKeeper, with the methods of a Gate.

    Args:
        keeper: the actor.
    """

    def __init__(self, keeper: object) -> None:
        self.last_success = -float("inf")
        self.stopped = False
        self._keeper = keeper
        self._hopeless = False
        self._sent: dict[object, float] = {}
        self._notes: dict[object, list[Note]] = {}

    async def enter(self, tokens: int) -> int:
        """Wait for permission to send a request; return -1 if the job was stopped."""
        if self.stopped:
            return -1
        charged, now, self._hopeless = await self._keeper.enter.remote(tokens)  # type: ignore[attr-defined]
        me = asyncio.current_task()
        self._sent[me], self._notes[me] = now, []
        return int(charged)

    def leave(self, charged: int, used: int | None) -> None:
        """Report that a request has ended, with all observations."""
        me = asyncio.current_task()
        self._sent.pop(me, None)
        self._keeper.leave.remote(charged, used, self._notes.pop(me, []))  # type: ignore[attr-defined]

    def answered(self, now: float) -> None:
        """Note that a request was served."""
        self.last_success = now
        self._note(Note("answered"))

    def overloaded(self, sent_at: float, retry_after: float | None) -> None:
        """Note that a request was refused for overload; the keeper's clock counts, not `sent_at`."""
        self._note(Note("overloaded", self._sent.get(asyncio.current_task(), 0.0), retry_after))

    def told(self, status: int, headers: Mapping[str, str]) -> None:
        """Note a response's head."""
        kept = {name: value for name, value in headers.items() if "ratelimit" in name}
        self._note(Note("told", status=status, headers=kept))

    def hopeless(self) -> bool:
        """Return whether waiting longer is pointless."""
        return self._hopeless

    def stop(self) -> None:
        """Let no more requests of this job pass."""
        self.stopped = True

    def _note(self, note: Note) -> None:
        self._notes.setdefault(asyncio.current_task(), []).append(note)
