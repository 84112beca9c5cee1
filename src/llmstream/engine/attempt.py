"""One attempt at one call: open, read, decode, and decide when the answer is complete."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final

from llmstream.adapters.base import HttpRequest
from llmstream.adapters.finish_reasons import PASSING, word
from llmstream.engine.effects import NEVER, Batch, Call, Effect, Head, Open, Read, Reply, Steps
from llmstream.engine.placing import MESSAGE_LIMIT, host, placed, refused
from llmstream.engine.surrogates import Surrogates, joined
from llmstream.errors import (
    BadMessage,
    LLMStreamError,
    StreamBroken,
    StreamEndedEarly,
    TimeLimitPassed,
    Unavailable,
)
from llmstream.events import Event, Finish, Notice, ReasoningDelta, Start, TextDelta, ToolCallDelta
from llmstream.wire import decoder
from llmstream.wire.document import parse, quoting
from llmstream.wire.message import Decoder, WireMessage

ERROR_BODY_LIMIT: Final = 64 * 1024
ERROR_BODY_WAIT: Final = 10.0
END: Final = "[DONE]"
ANSWER_LIMIT: Final = 64 * 1024 * 1024
"""Most characters of one answer, text, thinking and calls together, because callers may keep them all."""
REASON_LIMIT: Final = 200
LONGEST_STEP: Final = 1.0
"""Most seconds between two readings of the clock that count as working time."""
AFTER_FINISH: Final = 5.0
"""Most seconds to wait for usage and the end mark after the finish reason."""
PRECISION: Final = 0.01
"""Share of the idle limit by which its deadline may lag behind, so that not every token moves it."""
MALFORMED: Final = (
    KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError, OverflowError,
)  # fmt: skip
"""Exceptions that a reader raises on a message that its API does not define."""


class Attempt:
    """One attempt.

    Args:
        call: the call.
        request: the adapter's request for the call, possibly revised.
        clock: monotonic seconds.
        total_deadline: deadline of the whole run.

    `shown` is true once any delta was received, even an empty one; only non-empty text or thinking, or a
    tool call, counts as the first token.
    """

    def __init__(
        self, call: Call, request: HttpRequest, clock: Callable[[], float], total_deadline: float
    ) -> None:
        self.shown = False
        self._flowing = False
        self._call = call
        self._request = request
        self._clock = clock
        self._total = total_deadline
        self._deadline = NEVER
        self._fresh_until = 0.0
        self._reader = call.adapter.reader()
        self._surrogates = Surrogates()
        self._failure: LLMStreamError | None = None
        self._finish: Finish | None = None
        self._size = 0
        # the reader reported something that can't be shown, such as an image; that counts as an answer
        self._noted = False
        # text followed the finish reason, which therefore does not end the answer
        self._went_on = False
        # where text may follow a finish reason, the idle limit stays in force after it
        self._early = getattr(self._reader, "finish_may_repeat", False)
        self._allowed = self._spent = 0.0
        self._looked = clock()

    def steps(self) -> Steps:
        """Yield the attempt's effects and batches.

        Raises:
            LLMStreamError: the attempt failed; the message names provider and host.
        """
        endpoint = self._call.endpoint
        yield [Start(endpoint.provider, endpoint.model)]
        self._limit(self._call.policy.first_token)
        reader = self._reader
        try:
            decoder = yield from self._opened()
            read = Read(self._deadline)
            while not reader.done:
                if read.deadline != self._deadline:
                    read = Read(self._deadline)
                try:
                    data = yield read
                except (StreamBroken, TimeLimitPassed):
                    if reader.finished and not self._went_on:
                        break
                    raise
                batch = self._decode(decoder, data)  # type: ignore[arg-type]  # a Read returns bytes
                self._look(moves=bool(batch) and (self._flowing or reader.finished))
                if batch:
                    yield batch
                    if reader.finished or self._clock() >= self._fresh_until:
                        self._progress()
                if self._failure is not None:
                    raise self._failure
                if not data:
                    break
            if held := list(self._surrogates.close()):
                yield held
            yield from self._concluded(decoder)
        except LLMStreamError as error:
            raise self._placed(error) from error.__cause__

    def _concluded(self, decoder: Decoder) -> Generator[Batch, Reply, None]:
        """Check that the answer is complete; yield a notice if it is empty with an unknown finish reason.

        Raises:
            LLMStreamError: it ended early, failed, is plain text, or is empty without a finish reason.
        """
        reader, finish = self._reader, self._finish
        stray = "" if self._flowing else getattr(decoder, "stray", "")
        if stray and finish is None:
            raise quoting(
                BadMessage("the server sent plain text instead of an answer", phase="stream"), stray
            )
        if not (reader.done or reader.finished):
            raise StreamEndedEarly("the answer ended early (no finish reason)", phase="stream")
        if finish is not None and finish.reason == "error":
            again = word(finish.raw or "") in PASSING
            raise Unavailable(f"the generation failed: {finish.raw or 'error'}", retryable=again)
        if not (self._flowing or self._noted) and finish is None:
            what = "the answer is empty: no text, no tool call and no finish reason"
            raise BadMessage(what, phase="stream")
        if not self._flowing and finish is not None and finish.reason == "unknown" and finish.raw:
            yield [Notice(f"the answer is empty; the finish reason is {finish.raw}")]

    def _look(self, *, moves: bool) -> None:
        """Note a failure if reads without progress took longer than a wait may, or the total limit passed.

        A compressed body can keep yielding data without waiting, so that no limit on waits would end it.

        Args:
            moves: whether the read made progress; the time is then counted from zero again.
        """
        now = self._clock()
        if moves:
            self._spent = 0.0
        else:
            # a longer step is a wait, which the transport limits, or a suspension of the process
            self._spent += min(now - self._looked, LONGEST_STEP)
        self._looked = now
        if self._spent > self._allowed > 0 or (now >= self._total and not self._reader.done):
            self._failure = self._failure or TimeLimitPassed("no data in time")

    def _opened(self) -> Generator[Effect | Batch, Reply, Decoder]:
        """Send the request and return the decoder for the response's body."""
        head = yield Open(self._request, self._call.policy.connect, self._deadline, self._call.route)
        assert isinstance(head, Head)
        if head.status >= 300:
            yield from self._refused(head)
        return decoder(self._request.framing, head.headers.get("content-type", ""))

    def _decode(self, decoder: Decoder, data: bytes) -> Batch:
        """Return the events of one read; a failure after them is raised once they were yielded."""
        batch: Batch = []
        reader = self._reader
        try:
            for message in decoder.feed(data) if data else _rest(decoder):
                batch += reader.read(message)
                if reader.done:
                    break
        except LLMStreamError as error:
            self._failure = error
        except MALFORMED as error:
            self._failure = BadMessage("the server sent a message that this API does not define")
            self._failure.__cause__ = error
        flowed = self._flowing
        holding = self._surrogates.holding
        for index, event in enumerate(batch):
            kind = type(event)
            if kind is TextDelta or kind is ReasoningDelta:
                self.shown = True
                text = event.text  # type: ignore[union-attr]  # kind says it
                if text:
                    self._size += len(text)
                    self._flowing = True
                    self._went_on |= self._finish is not None
                    if holding or not text.isascii():
                        batch[index] = self._surrogates.mend(event)
            elif kind is ToolCallDelta:
                self.shown = self._flowing = True
                self._size += len(event.arguments) + len(event.name or "")  # type: ignore[union-attr]
                self._went_on |= self._finish is not None
                batch[index] = self._surrogates.mend(event)
            else:
                batch[index] = self._hidden(event)
                self._early |= not flowed and kind is Finish
        if self._size > ANSWER_LIMIT:
            self._failure = BadMessage(f"the answer is longer than {ANSWER_LIMIT >> 20} Mi characters")
        return batch

    def _hidden(self, event: Event) -> Event:
        """Return an event with keys hidden, which any text from the server may repeat."""
        if isinstance(event, Finish):
            if event.raw:
                event = Finish(event.reason, joined(self._call.endpoint.redact(event.raw)[:REASON_LIMIT]))
            self._finish = event
        elif isinstance(event, Notice):
            self._noted = True
            event = Notice(joined(self._call.endpoint.redact(event.message)[:MESSAGE_LIMIT]))
        return event

    def _progress(self) -> None:
        """Move the deadline after events were consumed; before the first token or finish reason it stays."""
        policy = self._call.policy
        if self._reader.finished and not (self._early or self._went_on):
            self._limit(min(policy.idle or AFTER_FINISH, AFTER_FINISH))
        elif self._reader.finished:
            self._limit(policy.idle)
        elif self._flowing:
            self._limit(policy.idle)
            self._fresh_until = self._clock() + policy.idle * PRECISION

    def _limit(self, seconds: float) -> None:
        self._allowed = seconds
        self._deadline = min(self._clock() + seconds if seconds else NEVER, self._total)

    def _refused(self, head: Head) -> Steps:
        """Read the start of a refusal's body and raise its error."""
        body = b""
        deadline = min(self._deadline, self._clock() + ERROR_BODY_WAIT)
        try:
            while len(body) < ERROR_BODY_LIMIT:
                data = yield Read(deadline)
                assert isinstance(data, bytes)
                if not data:
                    break
                body += data
        except LLMStreamError:
            pass  # the status alone is enough
        call = self._call
        raise refused(call.adapter, call.endpoint, head.status, head.headers, body[:ERROR_BODY_LIMIT])

    def _placed(self, error: LLMStreamError) -> LLMStreamError:
        """Add provider, host and phase to an error, and hide the key in it."""
        if error.provider is not None:
            return error
        if isinstance(error, TimeLimitPassed):
            self._explain(error)
        if error.phase is None:
            error.phase = "stream" if self.shown else "first_token"
        endpoint = self._call.endpoint
        return placed(error, endpoint, f"{endpoint.provider} ({host(self._request.url)})")

    def _explain(self, error: TimeLimitPassed) -> None:
        policy = self._call.policy
        if error.phase == "connect":
            error.message = f"no connection within {policy.connect:g} s"
            error.hint = "to wait longer, raise --timeout-connect"
        elif self._clock() >= self._total:
            error.phase, error.retryable = "total", False
            error.message = f"not finished within {policy.total:g} s (total limit)"
            error.hint = "to wait longer, raise --timeout-total"
        elif self._flowing:
            error.phase = "stream"
            error.message = f"the answer stalled: no data for {policy.idle:g} s (idle limit)"
            error.hint = "to wait longer, raise --timeout-idle"
        else:
            error.phase = "first_token"
            error.message = f"timed out: no first token within {policy.first_token:g} s"
            error.hint = "to wait longer, raise --timeout-first"


def _rest(decoder: Decoder) -> list[WireMessage]:
    """Return the messages completed by the end of the body, including a last one without its blank line.

    The standard (WHATWG HTML, 9.2.6) drops such an event; if its JSON is complete, nothing is missing.
    """
    messages = decoder.close()
    leftover: WireMessage | None = getattr(decoder, "leftover", None)
    if leftover is not None:
        try:
            whole = leftover.data.strip() == END or isinstance(parse(leftover.data, lenient=True), dict)
        except BadMessage:
            whole = False
        if whole:
            messages.append(leftover)
    return messages
