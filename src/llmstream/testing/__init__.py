"""`check_adapter`: the rules that every adapter must follow, as a test for its author.

It needs no socket: requests are checked as values, and answers are read by the same engine that runs
adapters for users. The complete test of a plugin can be

    def test_my_adapter() -> None:
        check_adapter(MyAdapter(), [Exchange(b'{"word":"hi"}\\n{"end":"stop"}\\n', text="hi")])
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from llmstream.adapters.base import Adapter, HttpRequest
from llmstream.errors import AuthenticationError, ProviderError
from llmstream.prompt import Attachment, Endpoint, Json, Message, Options, Prompt, Secret
from llmstream.record import replace
from llmstream.testing.answers import Exchange, check_exchange, check_reader

__all__ = ["Exchange", "check_adapter"]

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
"""Text by which an option is recognised in a request."""
TOOL: Final[Mapping[str, Json]] = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object"}},
}
EXAMPLES: Final[Mapping[str, object]] = {
    "float | None": 0.5,
    "int | None": 4,
    "str | None": "high",
    "tuple[str, ...] | None": ("STOP-HERE",),
    "tuple[Mapping[str, Json], ...] | None": (TOOL,),
    "Mapping[str, Json] | None": {"type": "object"},
    "Mapping[str, Json]": {"made_up": 1},
}
"""A value for each type of field in `Options`."""
NEEDED: Final = {"tool_choice": Options(tools=(TOOL,))}
"""Options that must be set along with an option."""
ATTACHED: Final = Prompt((Message("user", WORDS, (Attachment("image/png", b"PNG", name="a.png"),)),))
BODIES: Final = (
    b"",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"<html>502</html>",
    b'{"error": 7}',
    b'{"error": {"message": "no"}}',
)


def check_adapter(adapter: Adapter, exchanges: Sequence[Exchange] = ()) -> None:
    """Check that an adapter follows the rules that the engine and users rely on.

    Args:
        adapter: the adapter to check.
        exchanges: recorded answers of its API; each is read whole, byte by byte, split in two and cut off.

    Raises:
        AssertionError: it breaks a rule; the message says which.
    """
    assert isinstance(adapter.name, str), "an adapter's `name` is a text"
    assert adapter.name, "an adapter has a `name`"
    for prompt in PROMPTS:
        for stream in (True, False):
            _check_request(adapter, prompt, stream=stream)
    _check_nothing_is_silent(adapter)
    _check_errors(adapter)
    _check_models(adapter)
    check_reader(adapter)
    for exchange in exchanges:
        check_exchange(adapter, exchange)


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
    keyless = adapter.request(prompt, OPTIONS, replace(ENDPOINT, api_key=None), stream=stream)
    added = set(keyless.headers.items()) - set(request.headers.items())
    assert not added, f"an endpoint without a key gets {added} in its place"


def _check_nothing_is_silent(adapter: Adapter) -> None:
    """Check that every option changes the request or is named in a notice."""
    for name, kind in Options.__annotations__.items():
        needed = NEEDED.get(name, Options())
        value = "look" if name == "tool_choice" else EXAMPLES[kind]
        before = _request(adapter, PROMPTS[0], needed, stream=True)
        request = _request(adapter, PROMPTS[0], replace(needed, **{name: value}), stream=True)
        said = any(name in notice or "made_up" in notice for notice in request.notices)
        assert request.body != before.body or said, f"the option {name} is neither sent nor named in a notice"
    bare = _request(adapter, PROMPTS[0], Options(), stream=True)
    request = _request(adapter, ATTACHED, Options(), stream=True)
    assert request.body != bare.body or request.notices, (
        "an attachment is neither sent nor spoken of in a notice"
    )
    more = replace(ENDPOINT, extra_body={"made_up": 1})
    request = adapter.request(PROMPTS[0], Options(), more, stream=True)
    assert request.body != bare.body, "the endpoint's `extra_body` is not sent"


def _plain(request: HttpRequest) -> str:
    """Return a request's URL and body as text, with JSON escapes decoded."""
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
    busy = adapter.error(429, {"retry-after": "7"}, b"")
    assert busy.retry_after == 7, f"`error`: 'retry-after: 7' gives {busy.retry_after}"


def _check_models(adapter: Adapter) -> None:
    url = adapter.models_url(ENDPOINT)
    assert url is None or (url.startswith("https://") and KEY not in url), f"`models_url` is {url!r}"
    documents: list[object] = [None, [], {}, 7, "a", {"data": None}, {"models": [7, None, {}]}, [{"id": 7}]]
    for document in documents:
        found = adapter.models(document)
        assert all(isinstance(name, str) for name in found), f"`models({document!r})` returns {found!r}"
