"""What happens during one answer, as a closed union of small values.

Adapters make these from wire messages, the engine adds its own (Start, Retry, Notice, Fallback, Winner),
and sinks, the library and the event dictionaries read them. They carry no times, so that two runs can
be compared with ``==``; the receiver of a batch notes its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from llmstream.prompt import Json
from llmstream.record import Record

FinishReason: TypeAlias = Literal[
    "stop", "length", "tool_calls", "content_filter", "error", "cancelled", "unknown"
]


class Start(Record):
    """A request is about to be sent; each attempt has one.

    Args:
        provider: name of the provider in the configuration.
        model: the model's name, as the provider knows it.
    """

    provider: str
    model: str


class TextDelta(Record):
    """The answer text of one wire message; may be empty."""

    text: str


class ReasoningDelta(Record):
    """The thinking text of one wire message; never part of the answer."""

    text: str


class ToolCallDelta(Record):
    """A piece of a tool call that the model asks its caller to make.

    Args:
        index: number of the call in the answer, from 0.
        id: the provider's id, None if this piece (or the provider) has none.
        name: the tool's name, or a further piece of it; None in continuations.
        arguments: the next piece of the arguments' JSON text.
    """

    index: int
    id: str | None
    name: str | None
    arguments: str

    def named(self, known: str | None) -> str | None:
        """Return the name so far, given the name before this piece; a repeated name counts once."""
        return (known or "") + self.name if self.name and self.name != known else known


class Usage(Record):
    """Token counts and cost as the provider reported them; None means not reported, never a guess.

    `cost` is in US dollars, from providers such as OpenRouter that report it.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None


class Finish(Record):
    """The model has finished.

    Args:
        reason: one of a closed set, the same for all providers.
        raw: the reason in the provider's own words, None if it gave none.
    """

    reason: FinishReason
    raw: str | None = None


class Retry(Record):
    """Attempt `attempt`, from 1, failed before anything was shown; the next starts in `wait` seconds."""

    attempt: int
    wait: float
    error: str


class Fallback(Record):
    """A model failed before its first chunk; this one takes its place."""

    provider: str
    model: str
    error: str


class Winner(Record):
    """The first of several models to answer; it continues alone.

    Args:
        provider: its provider.
        model: its name.
        cancelled: the others still running, as PROVIDER/MODEL.
    """

    provider: str
    model: str
    cancelled: tuple[str, ...]


class Notice(Record):
    """Something that is not an error but that the user should know: a dropped option, a limit."""

    message: str


class Step(Record):
    """An event of a step inside a chain or an agent, as the object reported it.

    Args:
        event: LangChain's seven keys, its values as JSON; `parent_ids` are ids of other steps.
    """

    event: Mapping[str, Json]


Event: TypeAlias = (
    Start
    | TextDelta
    | ReasoningDelta
    | ToolCallDelta
    | Usage
    | Finish
    | Retry
    | Fallback
    | Winner
    | Notice
    | Step
)
Delta: TypeAlias = TextDelta | ReasoningDelta | ToolCallDelta
