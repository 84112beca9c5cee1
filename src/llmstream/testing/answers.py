"""The checks of an adapter's reader, with undefined messages and with answers split at any byte."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final, get_args

from llmstream.adapters.base import Adapter
from llmstream.engine.attempt import MALFORMED
from llmstream.engine.conversation import converse
from llmstream.engine.effects import Call, Effect, Head, Open, Prepare, Read, Reply
from llmstream.engine.meter import Completion, Meter, Timing
from llmstream.engine.policy import Policy
from llmstream.errors import LLMStreamError
from llmstream.events import (
    Event,
    Finish,
    FinishReason,
    Notice,
    ReasoningDelta,
    Start,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from llmstream.prompt import Endpoint, Message, Options, Prompt
from llmstream.record import Record, replace, values
from llmstream.transport.drivers import Run
from llmstream.wire.message import WireMessage

ENDPOINT: Final = Endpoint("acme", "model-1", "https://acme.test/v1")
PROMPT: Final = Prompt((Message("user", "hello"),))
MESSAGES: Final = (
    b"", b"null", b"7", b'"a"', b"[]", b"[[[]]]", b"{}", b'{"', b"\xff\xfe\x00", b'{"error": null}',
    b'{"choices": 7}', b'{"text": {"a": []}}', b'{"message": {"content": 7}}', b"[" * 5000,
    b'{"a": 1e999}', b'{"word": null}', b'{"word": ["a"]}',
)  # fmt: skip
"""Messages that hardly any dialect defines."""
NAMES: Final = ("", "message", "error", "whole", "bare")
"""Names of messages: those of SSE, and those that decoders give to documents."""
SPLITS: Final = 400
"""About the number of places at which a long body is split in two."""


class Exchange(Record):
    """A recorded answer and its expected result.

    Args:
        body: its bytes as received.
        text: the answer's text, as far as it was received.
        content_type: the response's content type; empty for the one that the adapter expects.
        error: the class of the error that the body ends in, None for a good answer.
        stream: False for an answer that was not streamed.
    """

    body: bytes
    text: str
    content_type: str = ""
    error: type[LLMStreamError] | None = None
    stream: bool = True


def check_reader(adapter: Adapter) -> None:
    """Check that messages not defined by the dialect raise only errors of this library and yield no text.

    Raises:
        AssertionError: they don't.
    """
    _check_messages(adapter)
    for number, body in enumerate(_nonsense(adapter)):
        _check_nonsense(adapter, body, number)


def _check_messages(adapter: Adapter) -> None:
    """Pass messages to the reader directly, bypassing the framing, which would refuse some of them."""
    for name in NAMES:
        for data in MESSAGES:
            reader = adapter.reader()
            assert reader is not adapter.reader(), "`reader` returns one reader for two answers"
            assert not (reader.done or reader.finished), "a new reader is done or finished"
            what = f"{data[:80]!r}" + (f" named {name!r}" if name else "")
            try:
                for event in reader.read(WireMessage(name, data.decode("utf-8", "replace"))):
                    _check_event(event)
            except (LLMStreamError, *MALFORMED):
                continue
            except AssertionError:
                raise
            except Exception as error:
                raise AssertionError(f"for {what} the reader gives no error of ours: {error!r}") from error


def _check_event(event: Event) -> None:
    fields: tuple[tuple[object, type | tuple[type, ...]], ...]
    match event:
        case TextDelta(text) | ReasoningDelta(text):
            fields = ((text, str),)
        case ToolCallDelta(index, id_, name, arguments):
            fields = ((index, int), (id_, (str, type(None))), (name, (str, type(None))), (arguments, str))
        case Finish(reason, raw):
            assert reason in get_args(FinishReason), f"there is no such finish reason: {event!r}"
            fields = ((raw, (str, type(None))),)
        case Usage():
            fields = tuple((count, (int, float, type(None))) for count in values(event))
        case _:
            assert isinstance(event, Notice), f"a reader gives no such event: {event!r}"
            fields = ((event.message, str),)
    assert all(isinstance(value, kind) for value, kind in fields), f"a field's type is wrong: {event!r}"


def _nonsense(adapter: Adapter) -> Iterator[bytes]:
    """Yield bodies of messages that the dialect doesn't define, in its own framing."""
    framing = adapter.request(PROMPT, Options(), ENDPOINT, stream=True).framing
    for message in () if framing == "text" else MESSAGES:
        yield message
        if framing == "sse":
            yield b"data: " + message + b"\n\n"
            yield b"event: error\ndata: " + message + b"\n\n"
        if framing == "ndjson":
            yield message + b"\n"


def _check_nonsense(adapter: Adapter, body: bytes, seed: int) -> None:
    cuts = sorted(random.Random(seed).sample(range(len(body) + 1), min(3, len(body))))  # noqa: S311
    try:
        done, error = _answer(adapter, _cut(body, cuts), Exchange(body, ""))
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"for {body[:80]!r} the reader gives no error of ours: {error!r}") from error
    assert error or not done.text, f"{body[:80]!r} is taken for {done.text!r}"


def check_exchange(adapter: Adapter, exchange: Exchange) -> None:
    """Check that a recorded answer is read the same however it is split, and never as complete if cut off.

    Raises:
        AssertionError: it isn't.
    """
    body, wanted = exchange.body, exchange.error
    step = max(1, len(body) // SPLITS)
    whole, error = _answer(adapter, [body], exchange)
    assert whole.text == exchange.text, f"the text is {whole.text!r}, not {exchange.text!r}"
    met = error is None if wanted is None else isinstance(error, wanted)
    assert met, f"it ends in {error!r}, not in {wanted and wanted.__name__}"
    for cuts in (range(1, len(body)), *([at] for at in range(1, len(body), step))):
        done, failure = _answer(adapter, _cut(body, cuts), exchange)
        same = (done, type(failure)) == (whole, type(error))
        assert same, f"cut at {list(cuts)[:3]}: {done!r} and {failure!r}, not {whole!r} and {error!r}"
    for at in range(0, len(body), step):
        done, error = _answer(adapter, [body[:at]], exchange)
        assert exchange.text.startswith(done.text), f"ended at {at}, the text is {done.text!r}"
        lost = done.text != exchange.text
        assert error or not lost, f"ended at {at}, with {done.text!r}, it counts as a whole answer"


def _cut(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = [0, *cuts, len(body)]
    return [body[start:end] for start, end in pairwise(places) if end > start]


def _answer(
    adapter: Adapter, reads: list[bytes], exchange: Exchange
) -> tuple[Completion, LLMStreamError | None]:
    """Return the engine's result for an exchange's body that arrives in these reads."""
    call = Call(adapter, ENDPOINT, PROMPT, Options(), Policy(max_retries=0), stream=exchange.stream)
    meter, failure = Meter(0.0), None
    steps = converse([Prepare(lambda: call)], lambda: 0.0, lambda: 0.0)
    try:
        for batch in Run(steps, _Canned(reads, exchange.content_type)):
            for event in batch:
                if not isinstance(event, Start):
                    _check_event(event)
            meter.write(batch, 0.0)
    except LLMStreamError as error:
        failure = error
    return replace(meter.completion(0.0), timing=Timing()), failure


class _Canned:
    """A transport with a fixed answer."""

    def __init__(self, reads: Iterable[bytes], content_type: str) -> None:
        self._reads = iter(reads)
        self._head = Head(200, {"content-type": content_type} if content_type else {})

    def perform(self, effect: Effect) -> Reply:
        if isinstance(effect, Open):
            return self._head
        return next(self._reads, b"") if isinstance(effect, Read) else None

    def stop(self) -> None:
        self._reads = iter(())

    close = stop
