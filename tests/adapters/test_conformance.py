"""Every adapter keeps to what `check_adapter` asks of anybody's, and what it asks has teeth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmstream.adapters.base import HttpRequest
from llmstream.adapters.openai_chat import ChatReader, OpenAIChat
from llmstream.adapters.registry import ADAPTERS, adapter
from llmstream.errors import LLMStreamError, ProviderError, StreamEndedEarly
from llmstream.events import Event, TextDelta
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
    check_adapter(adapter(name), [one for one in exchanges(name) if len(one.body) < 20_000])


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


@pytest.mark.parametrize(
    ("change", "complaint"), [(key_in_url, "key"), (elsewhere, "base URL"), (silent, "seed")]
)
def test_a_wrong_request_is_found(change: Callable[[HttpRequest], HttpRequest], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_adapter(Wrong(change))


class Forgetful(ChatReader):
    """A reader that loses text when a message comes alone, fails in its own way, or takes any end for a good one."""

    fault = ""

    def read(self, message: WireMessage) -> list[Event]:
        if self.fault == "raises" and "choices" not in message.data:
            raise RuntimeError("what is this?")
        events = [*super().read(message)]
        if self.fault == "finishes":
            self.finished = True
        return [*events, TextDelta("!")] if self.fault == "adds" else events


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [("raises", "no error of ours"), ("finishes", "whole answer|is taken for"), ("adds", "text is")],
)
def test_a_wrong_reader_is_found(fault: str, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Forgetful, "fault", fault)
    monkeypatch.setattr(OpenAIChat, "reader", lambda self: Forgetful())
    with pytest.raises(AssertionError, match=complaint):
        check_adapter(OpenAIChat(), [Exchange(GOOD, "hi")])
