"""What is sent to a model: messages, options, and the endpoint that receives them.

Plain values that every part of the library may use.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from llmstream.record import Record, names, replace, values

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


NOTHING: Final[Mapping[str, Json]] = MappingProxyType({})
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


TELLING: Final = ("key", "token", "secret", "auth", "cookie", "password", "credential")


def tells_a_secret(name: str) -> bool:
    """Return whether the value of a header or body field with this name must not be shown."""
    return any(word in name.lower() for word in TELLING)


class Secret:
    """A key that can't be shown by accident: only `reveal` returns its text.

    Args:
        value: the key itself.
        origin: its source, shown in its place, such as ``$OPENAI_API_KEY``.
    """

    __slots__ = ("_value", "origin")

    def __init__(self, value: str, origin: str = "api_key") -> None:
        self._value = value
        self.origin = origin

    def reveal(self) -> str:
        """Return the key's text; for use in requests only."""
        return self._value

    def redact(self, text: str) -> str:
        """Return `text` with each occurrence of the key replaced by its origin in brackets."""
        # a shorter key could also match ordinary words
        return text.replace(self._value, f"[{self.origin}]") if len(self._value) >= 4 else text

    def __repr__(self) -> str:
        return f"Secret({self.origin})"

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


class Attachment(Record):
    """A file sent along with a message's text.

    Args:
        media_type: for example ``image/png``, ``audio/wav`` or ``application/pdf``.
        data: the bytes, or None if `url` is set.
        url: an https URL that the provider itself fetches, or None.
        name: file name to show, None if there is none.
        place: the path or URL from which `data` was read, None if it can't be read again.
    """

    media_type: str
    data: bytes | None = None
    url: str | None = None
    name: str | None = None
    place: str | None = None


class ToolCall(Record):
    """A complete tool call; `arguments` is JSON text."""

    index: int
    id: str | None
    name: str
    arguments: str


class Message(Record):
    """One message of a conversation.

    Args:
        role: ``system``, ``user``, ``assistant`` or ``tool``.
        content: its text.
        attachments: images, audio files and documents sent with the text.
        tool_calls: calls requested by an assistant message.
        tool_call_id: for a tool message, the id of the call it answers.
        name: for a tool message, the tool's name.
        reasoning: the thinking before an assistant message, sent only to servers that want it back.
    """

    role: str
    content: str
    attachments: tuple[Attachment, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    reasoning: str = ""


class Prompt(Record):
    """The messages of one call, oldest first."""

    messages: tuple[Message, ...]

    @property
    def text(self) -> str:
        """The text of all messages joined by blank lines, for models that complete a text."""
        return "\n\n".join(message.content for message in self.messages)

    @property
    def system(self) -> str:
        """The text of the system messages joined by blank lines; empty if there are none."""
        return "\n\n".join(m.content for m in self.messages if m.role == "system")

    @property
    def turns(self) -> tuple[Message, ...]:
        """All messages except system messages."""
        return tuple(m for m in self.messages if m.role != "system")


class Parameter(Record):
    """A sampling parameter that providers share.

    Args:
        kind: a ``number``, a ``whole`` number, ``texts``, or a ``text``.
        meaning: one line for help and schema.
        least: smallest valid number.
        greatest: largest valid number.
    """

    kind: Literal["number", "whole", "texts", "text"]
    meaning: str
    least: float = 0
    greatest: float = 0


PARAMETERS: Final[Mapping[str, Parameter]] = {
    "temperature": Parameter("number", "randomness; 0 picks the most likely token", 0, 100),
    "max_tokens": Parameter("whole", "maximum number of tokens in the answer", 1, 2**53),
    "top_p": Parameter("number", "nucleus sampling: probability mass, 0 to 1", 0, 1),
    # -1 turns it off in vLLM and llama.cpp
    "top_k": Parameter("whole", "sample from this many of the most likely tokens", -1, 2**53),
    "stop": Parameter("texts", "sequences that end the answer"),
    "seed": Parameter("whole", "seed for repeatable sampling", -(2**63), 2**64),
    "frequency_penalty": Parameter("number", "penalty per earlier occurrence of a token, -2 to 2", -100, 100),
    "presence_penalty": Parameter("number", "penalty for any token that has occurred, -2 to 2", -100, 100),
    "reasoning_effort": Parameter("text", "none, minimal, low, medium or high"),
}
"""The one list of sampling parameters.

`Options` has a field for each; the names and checks of the library's keyword arguments, of ``-o`` and
of the file, the file's schema and the README's list follow from it. An adapter's FIELDS give the names
under which it sends them; the user is warned about any that it leaves out.
"""


class Options(Record):
    """The options of a request; None means the provider's default.

    The fields up to `reasoning_effort` are those of `PARAMETERS`, which describes them.

    Args:
        tools: tool definitions in OpenAI's form: ``{"type": "function", "function": {...}}``.
        tool_choice: ``auto``, ``none``, ``required`` or a tool's name.
        schema: JSON Schema for the answer.
        extra: anything else, added to the request body unchanged.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    reasoning_effort: str | None = None
    tools: tuple[Mapping[str, Json], ...] | None = None
    tool_choice: str | None = None
    schema: Mapping[str, Json] | None = None
    extra: Mapping[str, Json] = NOTHING

    def given(self) -> dict[str, Json]:
        """Return the options that are set, except `extra`, by name, as JSON values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in self.given_fields().items()}  # type: ignore[misc]

    def over(self, other: Options) -> Options:
        """Return these options, with those of `other` where these are not set."""
        if values(other) == SILENT:
            return self
        if values(self) == SILENT:
            return other
        return replace(other, **self.given_fields(), extra={**other.extra, **self.extra})

    def given_fields(self) -> dict[str, object]:
        """Return the options that are set, except `extra`, unconverted."""
        given = values(self)
        if given == SILENT:
            return {}
        pairs = zip(names(self), given, strict=True)
        return {name: value for name, value in pairs if value is not None and name != "extra"}


SILENT: Final = values(Options())
"""The values of options that are not set."""


class Endpoint(Record):
    """A provider's API: its address and how to use it.

    Args:
        provider: its name in the configuration or the catalogue.
        model: the model's name.
        base_url: without a trailing slash; includes the version part, such as ``/v1``, where the API has one.
        api_key: None for servers that need none.
        headers: added to each request after the adapter's own.
        extra_body: merged into each request's body.
        quirks: deviations of this provider from its dialect, as the adapter names them.
    """

    provider: str
    model: str
    base_url: str
    api_key: Secret | None = None
    headers: Mapping[str, str] = NO_HEADERS
    extra_body: Mapping[str, Json] = NOTHING
    quirks: frozenset[str] = frozenset()

    def redact(self, text: str) -> str:
        """Return `text` with the key, and the values of secret headers, replaced by their origins."""
        if self.api_key is not None:
            text = self.api_key.redact(text)
        for name, value in self.headers.items():
            # without the scheme: "Bearer sk-..."
            secret = value.rpartition(" ")[2]
            if tells_a_secret(name):
                text = Secret(secret, name).redact(text)
        return text

    def redact_bytes(self, data: bytes) -> bytes:
        """Return a body with the same replaced; to be called before it is decoded or shortened."""
        return self.redact(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
