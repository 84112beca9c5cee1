"""A sink that stores the run in the history when it ends.

Until then it only collects events: all other work, imports included, is done after the last token.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmstream.errors import Cancelled, LLMStreamError
from llmstream.record import Record

if TYPE_CHECKING:
    from llmstream.engine.meter import Completion, Meter
    from llmstream.events import Event
    from llmstream.history.kept import Run, Status
    from llmstream.prompt import Json, Message, Options

TOLD_AT: Final = 2
"""The user is told about the history after this run; the first shows only the answer."""
TOGETHER: Final = 512
"""Batches collected before they are merged, so that memory grows only with the length of the text."""


class Place(Record):
    """Where a run belongs in the history.

    Args:
        conversation: id of the conversation that it is a turn of, None to start a new one.
        session: the conversation's name, None when it has none.
        earlier: rows of the turns sent before it.
        chat: id of the chat that it is a turn of, None for a single run.
    """

    conversation: str | None = None
    session: str | None = None
    earlier: tuple[int, ...] = ()
    chat: str | None = None


class Asked(Record):
    """What the history needs to know about a run before it starts.

    Args:
        provider: the first one to try.
        model: the first one to try.
        system: the system prompt, None when there is none.
        new: the messages that are not from earlier turns.
        options: all options in effect, the provider's own included.
        run_id: the UUIDv7 of its events, None to create one.
    """

    provider: str
    model: str
    system: str | None
    new: Sequence[Message]
    options: Options
    run_id: str | None = None


class Aside:
    """Collects a run's events.

    It must be the first sink in a Tee, so that what was shown is stored even if a signal interrupts the rest.
    """

    wants_text = True

    def __init__(self) -> None:
        self._batches: list[tuple[list[Event], float]] = []
        self._meter: Meter | None = None
        self._began = time.monotonic()

    def open(self, plan: object, at: float) -> None:
        """Start the run's clock at `at`, monotonic seconds."""
        self._began = at

    def write(self, batch: list[Event], at: float) -> None:
        """Collect a batch."""
        self._batches.append((batch, at))
        if len(self._batches) >= TOGETHER:
            self.folded()

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Do nothing: `folded` returns what was collected."""

    def folded(self) -> Meter:
        """Return a meter that was given all events so far."""
        from llmstream.engine.meter import Meter

        meter = self._meter = self._meter or Meter(self._began)
        batches, self._batches = self._batches, []
        for batch, at in batches:
            meter.write(batch, at)
        return meter


class HistorySink:
    """Stores one run; a failure is reported but never fails the run.

    It must be the last sink in a Tee, and its `aside` the first.

    Args:
        path: returns the history file's path after creating its folder; raises LLMStreamError if it can't.
        asked: what is known of the run before it starts.
        place: where the run belongs.
        say: called once with a message if the run can't be stored.
        tell: called with the path after a history's second run (`TOLD_AT`).
    """

    wants_text = False

    def __init__(
        self,
        path: Callable[[], Path],
        asked: Asked,
        place: Place,
        *,
        say: Callable[[str], None],
        tell: Callable[[Path], None],
    ) -> None:
        self._path = path
        self._asked = asked
        self._place = place
        self._say = say
        self._tell = tell
        self.aside = Aside()
        self._time = time.time_ns()
        self._ended: tuple[LLMStreamError | None, float] | None = None
        self._told = False
        self.kept: Run | None = None
        """The run as stored, None before that."""

    def open(self, plan: object, at: float) -> None:
        """Do nothing: `aside` does it."""

    def write(self, batch: list[Event], at: float) -> None:
        """Do nothing: `aside` does it."""

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Store the run; if a signal interrupts this, a second call stores it."""
        if self.kept is not None or self._told:
            return
        # a signal during storing doesn't turn a complete run into a partial one
        self._ended = self._ended or (error, now)
        from llmstream.history.store import keep

        try:
            path = self._path()
            run = self._run(self.aside.folded().completion(self._ended[1]), self._ended[0])
            self.kept = keep(path, run)
        except LLMStreamError as failure:
            self._told = True
            hint = f" ({failure.hint})" if failure.hint else ""
            self._say(f"this run was not saved in the history: {failure.message}{hint}")
            return
        if self.kept.row == TOLD_AT:
            self._tell(path)

    def _run(self, completion: Completion, error: LLMStreamError | None) -> Run:
        from llmstream.history.kept import Run, messages_data, time_of
        from llmstream.tracing.tracer import uuid7

        asked, place = self._asked, self._place
        run_id = asked.run_id or uuid7(self._time)
        return Run(
            id=run_id,
            conversation=place.conversation or run_id,
            session=place.session,
            time=time_of(run_id),
            status=status_of(completion, error),
            provider=completion.provider or asked.provider,
            model=completion.model or asked.model,
            system=asked.system,
            new=messages_data(asked.new),
            earlier=place.earlier,
            text=completion.text,
            reasoning=completion.reasoning,
            details=_details(asked, completion, error),
            chat=place.chat,
        )


def status_of(completion: Completion, error: LLMStreamError | None) -> Status:
    """Return ``complete`` without an error; else ``partial`` if anything was received, or ``failed``."""
    if error is None:
        return "complete"
    return "partial" if completion.text or completion.reasoning or completion.tool_calls else "failed"


def _details(asked: Asked, completion: Completion, error: LLMStreamError | None) -> dict[str, Json]:
    from llmstream.tracing.tracer import timing_data, tool_calls_data, usage_data

    reason: str = completion.finish_reason
    if error is not None and reason == "unknown":
        reason = "cancelled" if isinstance(error, Cancelled) else "error"
    return {
        "tool_calls": tool_calls_data(completion.tool_calls),
        "finish_reason": reason,
        "error": None if error is None else dict(error.to_dict()),
        "usage": usage_data(completion.usage),
        "timing": timing_data(completion.timing),
        "options": {**asked.options.given(), **asked.options.extra},
    }
