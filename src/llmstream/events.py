"""What happens during one answer, as a closed union of small values.

Adapters make these from wire messages, the engine adds its own (Start, Retry, Notice, Fallback, Winner),
and sinks, the library and the event dictionaries read them.  They carry no times, so that two
runs can be compared with ``==``; whoever receives a batch notes when.
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
    """A request is about to be sent; there is one for each attempt.

    Args:
        provider: name of the provider in the configuration.
        model: the model that is asked for.
    """

    provider: str
    model: str


class TextDelta(Record):
    """Answer text that one wire message brought; may be empty."""

    text: str


class ReasoningDelta(Record):
    """Thinking text that one wire message brought; never part of the answer."""

    text: str


class ToolCallDelta(Record):
    """A piece of a tool call that the model asks its caller to make.

    Args:
        index: which call of the answer, from 0.
        id: the provider's id, None when this piece (or the provider) has none.
        name: the tool's name, or a further piece of it; None in continuations.
        arguments: the next piece of the arguments' JSON text.
    """

    index: int
    id: str | None
    name: str | None
    arguments: str

    def named(self, known: str | None) -> str | None:
        """Return the name so far, given that before this piece; a name that is only repeated counts once."""
        return (known or "") + self.name if self.name and self.name != known else known


class Usage(Record):
    """Token counts as the provider reported them; None means not reported, never a guess."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None


class Finish(Record):
    """The model has finished.

    Args:
        reason: one of the closed set, the same for every provider.
        raw: the provider's own word, None when it gave none.
    """

    reason: FinishReason
    raw: str | None = None


class Retry(Record):
    """An attempt failed before anything was shown; the next one comes after `wait` seconds."""

    attempt: int
    wait: float
    error: str


class Fallback(Record):
    """A model failed before its first chunk; this one takes its place."""

    provider: str
    model: str
    error: str


class Winner(Record):
    """Of several models that were asked at once this one was the first to answer; it goes on alone.

    Args:
        provider: its provider.
        model: its name.
        cancelled: the others that were still under way, as PROVIDER/MODEL.
    """

    provider: str
    model: str
    cancelled: tuple[str, ...]


class Notice(Record):
    """Something the user should know that is no error: an option that was dropped, a limit."""

    message: str


class Step(Record):
    """An event of a step inside a chain or an agent, as the object itself told it.

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
