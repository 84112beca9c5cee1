"""One attempt at one call: open, read, decode, and know when the answer is complete."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final
from urllib.parse import urlsplit

from llmstream.adapters.base import HttpRequest
from llmstream.engine.effects import NEVER, Batch, Call, Effect, Head, Open, Read, Reply, Steps
from llmstream.engine.surrogates import Surrogates
from llmstream.errors import (
    AuthenticationError,
    BadMessage,
    LLMStreamError,
    ProviderError,
    StreamBroken,
    StreamEndedEarly,
    TimeLimitPassed,
)
from llmstream.events import Finish, Notice, ReasoningDelta, Start, TextDelta, ToolCallDelta
from llmstream.wire import decoder
from llmstream.wire.message import Decoder

ERROR_BODY_LIMIT: Final = 64 * 1024
ERROR_BODY_WAIT: Final = 10.0
AFTER_FINISH: Final = 5.0
"""Seconds to wait for usage and the end mark once the finish reason has come."""
PRECISION: Final = 0.01
"""Share of the idle limit by which its deadline may lag behind: not each token moves it."""
MALFORMED: Final = (
    KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError, OverflowError,
)  # fmt: skip
"""What an adapter's reader meets in a message that is not of its dialect."""


class Attempt:
    """One attempt.

    Args:
        call: what is asked of whom.
        request: the call as the adapter put it, perhaps revised.
        clock: monotonic seconds.
        total_deadline: of the whole run.

    `shown` is true once a delta was given out, also an empty one; only text, thinking and tool
    calls count as a first token.
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

    def steps(self) -> Steps:
        """Yield the attempt's effects and batches.

        Raises:
            LLMStreamError: it failed; the message names provider, host and phase.
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
                    if reader.finished:
                        break
                    raise
                batch = self._decode(decoder, data)  # type: ignore[arg-type]  # a Read brings bytes
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
            if not (reader.done or reader.finished):
                raise StreamEndedEarly("the answer ended early, without a finish reason", phase="stream")
        except LLMStreamError as error:
            raise self._placed(error) from error.__cause__

    def _opened(self) -> Generator[Effect | Batch, Reply, Decoder]:
        """Send the request and return the decoder for its answer's body."""
        head = yield Open(self._request, self._call.policy.connect, self._deadline, self._call.route)
        assert isinstance(head, Head)
        if head.status >= 300:
            yield from self._refused(head)
        return decoder(self._request.framing, head.headers.get("content-type", ""))

    def _decode(self, decoder: Decoder, data: bytes) -> Batch:
        """Return the events of one read; a failure behind them is kept until they were given out."""
        batch: Batch = []
        reader = self._reader
        try:
            for message in decoder.feed(data) if data else decoder.close():
                batch += reader.read(message)
                if reader.done:
                    break
        except LLMStreamError as error:
            self._failure = error
        except MALFORMED as error:
            self._failure = BadMessage("an unexpected message came, not of this dialect")
            self._failure.__cause__ = error
        holding = self._surrogates.holding
        for index, event in enumerate(batch):
            kind = type(event)
            if kind is TextDelta or kind is ReasoningDelta:
                self.shown = True
                text = event.text  # type: ignore[union-attr]  # kind says it
                if text:
                    self._flowing = True
                    if holding or not text.isascii():
                        batch[index] = self._surrogates.mend(event)
            elif kind is ToolCallDelta:
                self.shown = self._flowing = True
                batch[index] = self._surrogates.mend(event)
            elif isinstance(event, Finish) and event.raw:
                # any text of the server's may repeat what it was sent
                batch[index] = Finish(event.reason, self._call.endpoint.redact(event.raw))
            elif isinstance(event, Notice):
                batch[index] = Notice(self._call.endpoint.redact(event.message))
        return batch

    def _progress(self) -> None:
        """Move the deadline: an event came, and whoever takes events has taken it."""
        policy = self._call.policy
        if self._reader.finished:
            self._limit(min(policy.idle or AFTER_FINISH, AFTER_FINISH))
        elif self._flowing:
            self._limit(policy.idle)
            self._fresh_until = self._clock() + policy.idle * PRECISION

    def _limit(self, seconds: float) -> None:
        self._deadline = min(self._clock() + seconds if seconds else NEVER, self._total)

    def _refused(self, head: Head) -> Steps:
        """Read the beginning of a refusal's body and raise what it says."""
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
            pass  # the status alone says enough
        raise self._call.adapter.error(head.status, head.headers, body[:ERROR_BODY_LIMIT])

    def _placed(self, error: LLMStreamError) -> LLMStreamError:
        """Name provider, host and phase in an error, and hide the key that it may repeat."""
        if error.provider is not None:
            return error
        endpoint = self._call.endpoint
        error.provider = endpoint.provider
        if isinstance(error, TimeLimitPassed):
            self._explain(error)
        if error.phase is None:
            error.phase = "stream" if self.shown else "first_token"
        error.message = f"{endpoint.provider} ({_host(self._request.url)}): {error.message}"
        if not error.hint:
            error.hint = self._hint(error)
        error.message = endpoint.redact(error.message)
        error.args = (error.message,)
        return error

    def _explain(self, error: TimeLimitPassed) -> None:
        policy = self._call.policy
        if error.phase == "connect":
            error.message = f"no connection within {policy.connect:g} s"
            error.hint = "--timeout-connect sets the limit"
        elif self._clock() >= self._total:
            error.phase, error.retryable = "total", False
            error.message = f"not finished within the time limit of {policy.total:g} s"
            error.hint = "--timeout-total sets the limit"
        elif self._flowing:
            error.phase = "stream"
            error.message = f"the answer stalled: nothing came for {policy.idle:g} s, a time-out"
            error.hint = "--timeout-idle sets the limit"
        else:
            error.phase = "first_token"
            error.message = f"timed out: no first token within {policy.first_token:g} s"
            error.hint = "--timeout-first sets the limit"

    def _hint(self, error: LLMStreamError) -> str:
        endpoint = self._call.endpoint
        if isinstance(error, AuthenticationError):
            key = endpoint.api_key
            return f"the key came from {key.origin}" if key else "no key was sent"
        if isinstance(error, ProviderError) and error.status == 404:
            return (
                f"is {endpoint.model!r} a model of {endpoint.provider}, and {endpoint.base_url} its address? "
                f"`llmstream models {endpoint.provider}` lists its models"
            )
        return ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return "no host"
