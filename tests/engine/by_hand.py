"""Feeds conversations by hand: a clock that only tests move, and replies from a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from llmstream.adapters.base import Adapter
from llmstream.adapters.openai_chat import OpenAIChat
from llmstream.adapters.openai_completions import OpenAICompletions
from llmstream.engine.conversation import converse
from llmstream.engine.effects import Call, Effect, Head, Open, Prepare, Read, Reply, Sleep
from llmstream.engine.policy import Policy
from llmstream.errors import LLMStreamError
from llmstream.events import Event, ReasoningDelta, TextDelta
from llmstream.prompt import Endpoint, Json, Message, Options, Prompt, Secret

KEY = "sk-very-secret-0123456789"
OK = Head(200, {"content-type": "text/event-stream"})
DONE = b"data: [DONE]\n\n"
COMMENT = b": still here\n\n"


@dataclass
class Clock:
    """Seconds that pass only when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class After:
    """A reply that takes some seconds to come."""

    seconds: float
    reply: Reply | LLMStreamError


Said: TypeAlias = Head | bytes | LLMStreamError | After


@dataclass
class Played:
    """What one conversation did."""

    effects: list[Effect] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    error: LLMStreamError | None = None

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def reasoning(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, ReasoningDelta))

    @property
    def reads(self) -> list[Read]:
        return [effect for effect in self.effects if isinstance(effect, Read)]

    @property
    def opens(self) -> list[Open]:
        return [effect for effect in self.effects if isinstance(effect, Open)]

    @property
    def waits(self) -> list[float]:
        return [effect.seconds for effect in self.effects if isinstance(effect, Sleep)]

    @property
    def failure(self) -> LLMStreamError:
        assert self.error is not None
        return self.error


def call(
    adapter: Adapter | None = None,
    policy: Policy | None = None,
    *,
    options: Options | None = None,
    provider: str = "acme",
    stream: bool = True,
) -> Call:
    """Return a call to a provider that there is not."""
    endpoint = Endpoint(provider, "m1", f"https://{provider}.test/v1", Secret(KEY, "$ACME_KEY"))
    prompt = Prompt((Message("user", "hello"),))
    return Call(adapter or OpenAIChat(), endpoint, prompt, options or Options(), policy or Policy(), stream)


def completions(policy: Policy | None = None) -> Call:
    """Return a call in the completions dialect."""
    return call(OpenAICompletions(), policy)


def play(
    calls: Call | Sequence[Call | LLMStreamError],
    replies: Iterable[Said],
    *,
    clock: Clock | None = None,
    jitter: float = 0.5,
    consumer: Callable[[list[Event]], float] = lambda batch: 0.0,
) -> Played:
    """Run a conversation to its end.

    Args:
        calls: the call and its fallbacks; an error is what making that call ready raises.
        replies: what opening and reading bring or raise, in turn; more than is asked for is fine.
        clock: of the run; sleeps move it.
        jitter: the random number of all waits.
        consumer: how many seconds whoever takes a batch needs for it.
    """
    clock = clock or Clock()
    coming, played = iter(replies), Played()
    made = [_prepared(one) for one in ([calls] if isinstance(calls, Call) else calls)]
    steps = converse(made, clock, lambda: jitter)
    try:
        step = next(steps)
        while True:
            if isinstance(step, list):
                played.events += step
                clock.now += consumer(step)
                step = steps.send(None)
                continue
            played.effects.append(step)
            try:
                reply = _carried_out(step, coming, clock)
            except LLMStreamError as error:
                step = steps.throw(error)
            else:
                step = steps.send(reply)
    except StopIteration:
        pass
    except LLMStreamError as error:
        played.error = error
    return played


def _prepared(one: Call | LLMStreamError) -> Prepare:
    def make() -> Call:
        if isinstance(one, LLMStreamError):
            raise one
        return one

    return Prepare(make)


def _carried_out(effect: Effect, coming: Iterable[Said], clock: Clock) -> Reply:
    if isinstance(effect, Prepare):
        return effect.make()
    if isinstance(effect, Sleep):
        clock.now += effect.seconds
    if not isinstance(effect, Open | Read):
        return None
    said = next(iter(coming))
    if isinstance(said, After):
        clock.now += said.seconds
        said = said.reply  # type: ignore[assignment]  # what may stand in After may be said
    if isinstance(said, LLMStreamError):
        raise said
    return said  # type: ignore[return-value]


def event(document: Json) -> bytes:
    """Return one server-sent event."""
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def delta(text: str | None = None, finish: str | None = None, **more: Json) -> bytes:
    """Return a chunk of a chat answer."""
    content: dict[str, Json] = {**more} if text is None else {"content": text, **more}
    return event({"choices": [{"index": 0, "delta": content, "finish_reason": finish}]})


def piece(text: str, finish: str | None = None) -> bytes:
    """Return a chunk of a completions answer."""
    return event({"choices": [{"index": 0, "text": text, "finish_reason": finish}]})


def refusal(status: int, message: str = "no", headers: Mapping[str, str] | None = None) -> list[Said]:
    """Return the replies of a refused request."""
    body = json.dumps({"error": {"message": message}}).encode()
    return [Head(status, {"content-type": "application/json", **(headers or {})}), body, b""]
