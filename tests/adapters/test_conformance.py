"""Every adapter keeps to what `check_adapter` asks of anybody's, and what it asks has teeth."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmstream.adapters.base import HttpRequest
from llmstream.adapters.openai_chat import ChatReader, OpenAIChat
from llmstream.adapters.registry import ADAPTERS, adapter
from llmstream.errors import (
    AuthenticationError,
    LLMStreamError,
    ProviderError,
    RequestRefused,
    StreamEndedEarly,
    Unavailable,
)
from llmstream.events import Event, Finish, ReasoningDelta, Retry, TextDelta
from llmstream.record import replace
from llmstream.testing import Exchange, check_adapter
from llmstream.wire.message import WireMessage

RECORDINGS = Path(__file__).parent / "recordings"
GOOD = (
    b'data: {"choices":[{"index":0,"delta":{"content":"h"}}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{"content":"i"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
# each of their chunks says STOP, so that one which lacks the rest can't be told from a whole one
UNTOLD = ("vertex-citations-recitation", "vertex-text-2")


def exchanges(name: str) -> Iterator[Exchange]:
    """Yield the recorded streams of a dialect."""
    for path in sorted((RECORDINGS / name).glob("*.body")):
        about: dict[str, Any] = json.loads(path.with_suffix(".json").read_text("utf-8"))
        if about["status"] != 200 or path.stem in UNTOLD:
            continue
        failure: type[LLMStreamError] | None = ProviderError if about["error"] else None
        if path.stem == "clean-eof-without-done":
            failure = StreamEndedEarly
        yield Exchange(path.read_bytes()[:20_000], about["text"], about["content_type"], failure)


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_an_adapter_of_ours_keeps_to_it(name: str) -> None:
    # others in each run; engine/test_conversation_recordings.py cuts all of them
    short = [one for one in exchanges(name) if len(one.body) < 20_000]
    check_adapter(adapter(name), random.sample(short, min(4, len(short))))


class Wrong(OpenAIChat):
    """A good adapter whose request somebody has changed."""

    def __init__(self, change: Callable[[HttpRequest], HttpRequest]) -> None:
        self._change = change

    def request(self, *arguments: Any, **named: Any) -> HttpRequest:
        return self._change(super().request(*arguments, **named))


def key_in_url(request: HttpRequest) -> HttpRequest:
    return replace(request, url=request.url + "?key=sk-conformance-0123456789")


def elsewhere(request: HttpRequest) -> HttpRequest:
    return replace(request, url="https://elsewhere.test/v1")


def silent(request: HttpRequest) -> HttpRequest:
    return replace(request, body=request.body.replace(b'"seed":12345', b'"s":1'), notices=())


def keyless(request: HttpRequest) -> HttpRequest:
    return replace(request, headers={"authorization": "Bearer None", **request.headers})


def without(field: str) -> Callable[[HttpRequest], HttpRequest]:
    """Return what drops a field of the body, without a word."""

    def change(request: HttpRequest) -> HttpRequest:
        body = {name: value for name, value in json.loads(request.body).items() if name != field}
        return replace(request, body=json.dumps(body).encode(), notices=())

    return change


def text_only(request: HttpRequest) -> HttpRequest:
    body = json.loads(request.body)
    for message in body["messages"]:
        if isinstance(message["content"], list):
            message["content"] = message["content"][0]["text"]
    return replace(request, body=json.dumps(body).encode())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (key_in_url, "key"),
        (elsewhere, "base URL"),
        (silent, "seed"),
        (keyless, "in its place"),
        (without("top_k"), "top_k"),
        (without("tools"), "tools"),
        (without("response_format"), "schema"),
        (without("made_up"), "extra"),
        (text_only, "attachment"),
    ],
)
def test_a_wrong_request_is_found(change: Callable[[HttpRequest], HttpRequest], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_adapter(Wrong(change))


class Forgetful(ChatReader):
    """A reader that invents text, fails in its own way, takes any end for a good one, or reads by the clock."""

    fault = ""
    read_before = 0

    def read(self, message: WireMessage) -> list[Event]:
        Forgetful.read_before += 1
        if self.fault == "raises" and "choices" not in message.data:
            raise RuntimeError("what is this?")
        events = [*super().read(message)]
        if self.fault == "finishes":
            self.finished = True
        if self.fault == "counts":
            return [*events, ReasoningDelta(str(self.read_before))]
        if self.fault == "types":
            return [*events, Finish("stop", 7)]  # type: ignore[arg-type]  # the fault
        if self.fault == "starts":
            return [*events, Retry(1, 0.0, "")]
        return [*events, TextDelta("!")] if self.fault == "adds" else events


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("raises", "no error of ours"),
        ("finishes", "whole answer"),
        ("adds", "is taken for"),
        ("counts", "cut at"),
        ("types", "type is wrong"),
        ("starts", "no such event"),
    ],
)
def test_a_wrong_reader_is_found(fault: str, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Forgetful, "fault", fault)
    monkeypatch.setattr(OpenAIChat, "reader", lambda self: Forgetful())
    with pytest.raises(AssertionError, match=complaint):
        check_adapter(OpenAIChat(), [Exchange(GOOD, "hi")])


def test_a_reader_for_all_answers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ChatReader()
    monkeypatch.setattr(OpenAIChat, "reader", lambda self: one)
    with pytest.raises(AssertionError, match="one reader for two answers"):
        check_adapter(OpenAIChat())


@pytest.mark.parametrize(
    ("status", "error", "complaint"),
    [
        (401, RequestRefused("no", status=401), "is a RequestRefused"),
        (500, ProviderError("no", status=500), "retryable"),
        (404, ProviderError("", status=404), "no message"),
        (403, AuthenticationError("no", status=401), "has the status 401"),
        (429, Unavailable("no", status=429), "retry-after"),
        (400, ValueError("no"), "no ProviderError"),
    ],
)
def test_a_wrong_error_is_found(
    status: int, error: ProviderError, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = OpenAIChat.error

    def wrong(self: OpenAIChat, given: int, headers: Any, body: bytes) -> ProviderError:
        return error if given == status else right(self, given, headers, body)

    monkeypatch.setattr(OpenAIChat, "error", wrong)
    with pytest.raises(AssertionError, match=complaint):
        check_adapter(OpenAIChat())


def test_an_answer_that_came_whole_is_an_exchange_too() -> None:
    body = b'{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}'
    check_adapter(OpenAIChat(), [Exchange(body, "hi", "application/json", stream=False)])
    with pytest.raises(AssertionError, match="text is 'hi', not 'ho'"):
        check_adapter(OpenAIChat(), [Exchange(body, "ho", "application/json", stream=False)])


def test_an_exchange_that_fails_fails_as_it_was_said() -> None:
    cut = GOOD[: GOOD.index(b"\n\n") + 2]
    check_adapter(OpenAIChat(), [Exchange(cut, "h", error=StreamEndedEarly)])
    with pytest.raises(AssertionError, match="not in ProviderError"):
        check_adapter(OpenAIChat(), [Exchange(cut, "h", error=ProviderError)])
