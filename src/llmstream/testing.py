"""`check_adapter`: what every adapter has to keep to, for the tests of whoever writes one.

It asserts on the adapter alone, without a socket: requests are made, and answers are read, by the
engine that runs them for users.  A plugin's whole test may be

    def test_my_adapter() -> None:
        check_adapter(MyAdapter(), [Exchange(b'{"word":"hi"}\\n{"end":"stop"}\\n', text="hi")])
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from llmstream.adapters.base import Adapter, HttpRequest
from llmstream.engine.conversation import converse
from llmstream.engine.effects import Call, Effect, Head, Open, Prepare, Read, Reply
from llmstream.engine.meter import Completion, Meter
from llmstream.engine.policy import Policy
from llmstream.errors import AuthenticationError, LLMStreamError, ProviderError
from llmstream.events import ReasoningDelta, TextDelta
from llmstream.prompt import Endpoint, Message, Options, Prompt, Secret
from llmstream.record import Record
from llmstream.transport.drivers import drive

KEY: Final = "sk-conformance-0123456789"
ENDPOINT: Final = Endpoint(
    "acme", "model-1", "https://acme.test/v1", Secret(KEY, "$ACME_KEY"), headers={"x-team": "search"}
)
WORDS: Final = "Grüße, 世界 \N{ROCKET}"
PROMPTS: Final = (
    Prompt((Message("user", WORDS),)),
    Prompt(
        (
            Message("system", "be brief"),
            Message("user", WORDS),
            Message("assistant", "yes?"),
            Message("user", "go on"),
        )
    ),
)
OPTIONS: Final = Options(temperature=0.5, max_tokens=77, top_p=0.25, stop=("STOP-HERE",), seed=12345)
EVIDENCE: Final = {
    "temperature": "0.5", "max_tokens": "77", "top_p": "0.25", "stop": "STOP-HERE", "seed": "12345",
}  # fmt: skip
"""What shows in a request that an option is in it."""
BODIES: Final = (
    b"",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"<html>502</html>",
    b'{"error": 7}',
    b'{"error": {"message": "no"}}',
)
MESSAGES: Final = (
    b"", b"null", b"7", b'"a"', b"[]", b"[[[]]]", b"{}", b'{"', b"\xff\xfe\x00", b'{"error": null}',
    b'{"choices": 7}', b'{"text": {"a": []}}', b'{"message": {"content": 7}}', b"[" * 5000,
    b'{"a": 1e999}', b'{"word": null}', b'{"word": ["a"]}',
)  # fmt: skip
"""What no dialect knows, or nearly."""
SPLITS: Final = 400
"""Most places at which a body is cut in two."""


class Exchange(Record):
    """A recorded answer, and what is to be made of it.

    Args:
        body: its bytes as they came.
        text: the answer's text, as far as it came.
        content_type: the answer's; empty for what the adapter expects.
        error: the class of the failure that the body ends in, None for a good answer.
    """

    body: bytes
    text: str
    content_type: str = ""
    error: type[LLMStreamError] | None = None


def check_adapter(adapter: Adapter, exchanges: Sequence[Exchange] = ()) -> None:
    """Check that an adapter keeps to what the engine and users rely on.

    Args:
        adapter: one of anybody's.
        exchanges: recorded answers of its API; each is read whole, byte by byte and cut in two.

    Raises:
        AssertionError: it doesn't; the message says in what.
    """
    assert isinstance(adapter.name, str), "an adapter's `name` is a text"
    assert adapter.name, "an adapter has a `name`"
    for prompt in PROMPTS:
        for stream in (True, False):
            _check_request(adapter, prompt, stream=stream)
    _check_errors(adapter)
    _check_models(adapter)
    for number, body in enumerate(_nonsense(adapter)):
        _check_nonsense(adapter, body, number)
    for exchange in exchanges:
        _check_exchange(adapter, exchange)


def _request(adapter: Adapter, prompt: Prompt, options: Options, *, stream: bool) -> HttpRequest:
    return adapter.request(prompt, options, ENDPOINT, stream=stream)


def _check_request(adapter: Adapter, prompt: Prompt, *, stream: bool) -> None:
    request = _request(adapter, prompt, OPTIONS, stream=stream)
    assert request == _request(adapter, prompt, OPTIONS, stream=stream), (
        "`request` depends on something beside its arguments"
    )
    assert isinstance(request.body, bytes), "a request's body is bytes"
    assert request.url.startswith(ENDPOINT.base_url), f"{request.url} is not under the base URL"
    assert request.headers.get("x-team") == "search", "the endpoint's own headers are not sent"
    assert any(KEY in value for value in request.headers.values()), "the key is in no header"
    shown = f"{request.method} {request.url} {request.notices} ".encode() + request.body
    assert KEY.encode() not in shown, "the key belongs into a header, not into the URL or the body"
    sent = _plain(request)
    for message in prompt.messages:
        assert message.content in sent, f"a {message.role} message is not sent: {message.content!r}"
    for name, evidence in EVIDENCE.items():
        said = any(name in notice for notice in request.notices)
        assert evidence in sent or said, f"the option {name} is neither sent nor named in a notice"
        assert name == "stop" or not (evidence in sent and said), f"{name} is sent, and said to be left out"
    bare = _request(adapter, prompt, Options(), stream=stream)
    assert not bare.notices, f"a notice where no option was given: {bare.notices}"


def _plain(request: HttpRequest) -> str:
    """Return a request's address and body as text, escapes of JSON undone."""
    try:
        body = json.dumps(json.loads(request.body), ensure_ascii=False)
    except ValueError:
        body = request.body.decode("utf-8", "replace")
    return f"{request.url} {body}"


def _check_errors(adapter: Adapter) -> None:
    request = _request(adapter, PROMPTS[0], Options(), stream=True)
    for status in (302, 400, 401, 403, 404, 429, 500, 503, 529):
        for body in BODIES:
            error = adapter.error(status, {"content-type": "application/json"}, body)
            what = f"`error({status}, ..., {body!r})`"
            assert isinstance(error, ProviderError), f"{what} returns no ProviderError: {error!r}"
            assert error.message.strip(), f"{what} has no message"
            assert error.status == status, f"{what} has the status {error.status}"
            refused = isinstance(error, AuthenticationError)
            assert refused == (status in (401, 403)), f"{what} is a {type(error).__name__}"
            assert error.retryable == (status in (429, 500, 503, 529)), (
                f"{what}: retryable is {error.retryable}"
            )
            revised = adapter.revise(request, error)
            assert revised is None or isinstance(revised, HttpRequest), "`revise` returns a request or None"


def _check_models(adapter: Adapter) -> None:
    url = adapter.models_url(ENDPOINT)
    assert url is None or (url.startswith("https://") and KEY not in url), f"`models_url` is {url!r}"
    documents: list[object] = [None, [], {}, 7, "a", {"data": None}, {"models": [7, None, {}]}, [{"id": 7}]]
    for document in documents:
        found = adapter.models(document)
        assert all(isinstance(name, str) for name in found), f"`models({document!r})` returns {found!r}"


def _nonsense(adapter: Adapter) -> Iterator[bytes]:
    """Yield bodies of messages that the dialect can't mean, in its own framing."""
    framing = _request(adapter, PROMPTS[0], Options(), stream=True).framing
    for message in MESSAGES:
        yield message
        if framing == "sse":
            yield b"data: " + message + b"\n\n"
            yield b"event: error\ndata: " + message + b"\n\n"
        if framing == "ndjson":
            yield message + b"\n"


def _check_nonsense(adapter: Adapter, body: bytes, seed: int) -> None:
    cuts = sorted(random.Random(seed).sample(range(len(body) + 1), min(3, len(body))))  # noqa: S311
    try:
        done, error = _answer(adapter, _cut(body, cuts), "")
    except Exception as error:
        raise AssertionError(f"for {body[:80]!r} the reader gives no error of ours: {error!r}") from error
    assert not done.text or error or done.finish_reason, f"{body[:80]!r} is taken for {done.text!r}"


def _check_exchange(adapter: Adapter, exchange: Exchange) -> None:
    body = exchange.body
    step = max(1, len(body) // SPLITS)
    for cuts in ([], range(1, len(body)), *([at] for at in range(1, len(body), step))):
        done, error = _answer(adapter, _cut(body, cuts), exchange.content_type)
        where = f"cut at {list(cuts)[:3]}"
        assert done.text == exchange.text, f"{where}: the text is {done.text!r}, not {exchange.text!r}"
        wanted = exchange.error
        met = error is None if wanted is None else isinstance(error, wanted)
        assert met, f"{where}: it ends in {error!r}, not in {wanted and wanted.__name__}"
    for at in range(0, len(body), step):
        done, error = _answer(adapter, [body[:at]], exchange.content_type)
        assert exchange.text.startswith(done.text), f"ended at {at}, the text is {done.text!r}"
        lost = done.text != exchange.text
        assert error or not lost, f"ended at {at}, with {done.text!r}, it counts as a whole answer"


def _cut(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = [0, *cuts, len(body)]
    return [body[start:end] for start, end in pairwise(places) if end > start]


def _answer(
    adapter: Adapter, reads: list[bytes], content_type: str
) -> tuple[Completion, LLMStreamError | None]:
    """Return what the engine makes of a body that comes in these reads."""
    call = Call(adapter, ENDPOINT, PROMPTS[0], Options(), Policy(max_retries=0))
    meter = Meter(0.0)
    try:
        for batch in drive(
            converse([Prepare(lambda: call)], lambda: 0.0, lambda: 0.0), _Canned(reads, content_type)
        ):
            for event in batch:
                if isinstance(event, TextDelta | ReasoningDelta):
                    assert isinstance(event.text, str), f"a delta's text is none: {event!r}"
            meter.write(batch, 0.0)
    except LLMStreamError as error:
        return meter.completion(0.0), error
    return meter.completion(0.0), None


class _Canned:
    """A transport whose answer is there already."""

    def __init__(self, reads: Iterable[bytes], content_type: str) -> None:
        self._reads = iter(reads)
        self._head = Head(200, {"content-type": content_type} if content_type else {})

    def perform(self, effect: Effect) -> Reply:
        if isinstance(effect, Prepare):
            return effect.make()
        if isinstance(effect, Open):
            return self._head
        return next(self._reads, b"") if isinstance(effect, Read) else None

    def close(self) -> None:
        self._reads = iter(())
