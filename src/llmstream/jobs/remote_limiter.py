"""A provider's limiter in an actor of its own, and how a job far away asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from llmstream.jobs.limiter import Limiter
from llmstream.record import Record


class Note(Record):
    """What one request showed: ``answered``, ``overloaded`` or ``told``; see Limiter's methods.

    Args:
        what: which of them.
        sent_at: when the request was sent, by the keeper's clock.
        retry_after: seconds that the server asked to wait.
        status: the answer's.
        headers: the answer's, as far as they speak of limits.
    """

    what: str
    sent_at: float = 0.0
    retry_after: float | None = None
    status: int = 0
    headers: Mapping[str, str] = {}


class LimiterKeeper:
    """An actor that has one provider's limiter."""

    def __init__(self, rpm: float, tpm: float, jobs: int) -> None:
        self._loop = asyncio.get_event_loop()
        self._limiter = Limiter(rpm, tpm, jobs, self._loop.time)

    async def enter(self, tokens: int) -> tuple[int, float, bool]:
        """Wait; return what was charged, the time here, and whether asking is hopeless."""
        charged = await self._limiter.enter(tokens)
        return charged, self._loop.time(), self._limiter.hopeless()

    async def leave(self, charged: int, used: int | None, notes: list[Note]) -> None:
        """Take what is to be said of one request, and its place."""
        for note in notes:
            if note.what == "answered":
                self._limiter.answered(self._loop.time())
            elif note.what == "told":
                self._limiter.told(note.status, note.headers)
            else:
                self._limiter.overloaded(note.sent_at, note.retry_after)
        self._limiter.leave(charged, used)


class RemoteLimiter:
    """A LimiterKeeper as a Job knows a limiter.

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
        """Wait for a place; -1 when the job has been stopped."""
        if self.stopped:
            return -1
        charged, now, self._hopeless = await self._keeper.enter.remote(tokens)  # type: ignore[attr-defined]
        me = asyncio.current_task()
        self._sent[me], self._notes[me] = now, []
        return int(charged)

    def leave(self, charged: int, used: int | None) -> None:
        """Give the place back, with all that was noted."""
        me = asyncio.current_task()
        self._sent.pop(me, None)
        self._keeper.leave.remote(charged, used, self._notes.pop(me, []))  # type: ignore[attr-defined]

    def answered(self, now: float) -> None:
        """Note that a request was served."""
        self.last_success = now
        self._note(Note("answered"))

    def overloaded(self, sent_at: float, retry_after: float | None) -> None:
        """Note that a request was refused for overload."""
        self._note(Note("overloaded", self._sent.get(asyncio.current_task(), 0.0), retry_after))

    def told(self, status: int, headers: Mapping[str, str]) -> None:
        """Note an answer's head."""
        kept = {name: value for name, value in headers.items() if "ratelimit" in name}
        self._note(Note("told", status=status, headers=kept))

    def hopeless(self) -> bool:
        """Return whether waiting longer makes no sense."""
        return self._hopeless

    def stop(self) -> None:
        """Let nobody of this job pass any more."""
        self.stopped = True

    def _note(self, note: Note) -> None:
        self._notes.setdefault(asyncio.current_task(), []).append(note)
