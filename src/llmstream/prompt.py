"""What goes to a model: messages, options, and the endpoint that takes them.

Plain values without behaviour, so that every floor can speak of them.
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
    """Return whether what stands under the name of a header or a field of a body isn't to be shown."""
    return any(word in name.lower() for word in TELLING)


class Secret:
    """A key that can't be shown by accident: its text comes out of `reveal` only.

    Args:
        value: the key itself.
        origin: where it came from, to be shown in its place: ``$OPENAI_API_KEY``.
    """

    __slots__ = ("_value", "origin")

    def __init__(self, value: str, origin: str = "api_key") -> None:
        self._value = value
        self.origin = origin

    def reveal(self) -> str:
        """Return the key's text, for the request alone."""
        return self._value

    def redact(self, text: str) -> str:
        """Return `text` with each occurrence of the key replaced by its origin in brackets."""
        # a shorter one would replace innocent words
        return text.replace(self._value, f"[{self.origin}]") if len(self._value) >= 4 else text

    def __repr__(self) -> str:
        return f"Secret({self.origin})"

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


class Attachment(Record):
    """A file beside a message's text.

    Args:
        media_type: ``image/png``, ``audio/wav``, ``application/pdf``.
        data: the bytes, or None when `url` says where they are.
        url: an https address that the provider fetches itself, or None.
        name: file name to show, None when there is none.
        place: the path or address that `data` was read from, None when it can't be read again.
    """

    media_type: str
    data: bytes | None = None
    url: str | None = None
    name: str | None = None
    place: str | None = None


class ToolCall(Record):
    """One assembled tool call; `arguments` is JSON text."""

    index: int
    id: str | None
    name: str
    arguments: str


class Message(Record):
    """One message of a conversation.

    Args:
        role: ``system``, ``user``, ``assistant`` or ``tool``.
        content: its text.
        attachments: images, audio, documents beside the text.
        tool_calls: calls that an assistant message asked for.
        tool_call_id: for a tool message, the call that it answers.
        name: for a tool message, the tool's name.
    """

    role: str
    content: str
    attachments: tuple[Attachment, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None


class Prompt(Record):
    """The messages of one call, oldest first."""

    messages: tuple[Message, ...]

    @property
    def text(self) -> str:
        """All messages' text, for models that complete a text: joined by one blank line."""
        return "\n\n".join(message.content for message in self.messages)

    @property
    def system(self) -> str:
        """The system messages' text, joined by one blank line; empty when there are none."""
        return "\n\n".join(m.content for m in self.messages if m.role == "system")

    @property
    def turns(self) -> tuple[Message, ...]:
        """The messages without the system ones."""
        return tuple(m for m in self.messages if m.role != "system")


class Parameter(Record):
    """A sampling parameter that providers share.

    Args:
        kind: a ``number``, a ``whole`` number, ``texts``, or a ``text``.
        meaning: one line for help and schema.
        least: of a number.
        greatest: of a number.
    """

    kind: Literal["number", "whole", "texts", "text"]
    meaning: str
    least: float = 0
    greatest: float = 0


PARAMETERS: Final[Mapping[str, Parameter]] = {
    "temperature": Parameter("number", "randomness; 0 picks the most likely token", 0, 100),
    "max_tokens": Parameter("whole", "maximum number of tokens in the answer", 1, 2**53),
    "top_p": Parameter("number", "nucleus sampling: probability mass, 0 to 1", 0, 1),
    # -1 switches it off in vLLM and llama.cpp
    "top_k": Parameter("whole", "sample from this many of the most likely tokens", -1, 2**53),
    "stop": Parameter("texts", "sequences that end the answer"),
    "seed": Parameter("whole", "seed for repeatable sampling", -(2**63), 2**64),
    "frequency_penalty": Parameter("number", "penalty per earlier occurrence of a token, -2 to 2", -100, 100),
    "presence_penalty": Parameter("number", "penalty for any token that has occurred, -2 to 2", -100, 100),
    "reasoning_effort": Parameter("text", "none, minimal, low, medium or high"),
}
"""The one list of sampling parameters.

`Options` has a field for each; names and checks of the library's keywords, of ``-o`` and of the file,
the file's schema and the README's list follow from it.  An adapter says under which names it sends
them (its FIELDS), and whatever it doesn't name is told to the user.
"""


class Options(Record):
    """What can be asked of a model beside the prompt; None means the provider's default.

    The fields up to `reasoning_effort` are those of `PARAMETERS`, which says what they mean.

    Args:
        tools: tool definitions in OpenAI's form: ``{"type": "function", "function": {...}}``.
        tool_choice: ``auto``, ``none``, ``required`` or a tool's name.
        schema: JSON Schema that the answer must follow.
        extra: anything else, sent in the request's body as it is.
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
        """Return the options that are set, `extra` aside, by name, as JSON values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in self.given_fields().items()}  # type: ignore[misc]

    def over(self, other: Options) -> Options:
        """Return these options, with `other`'s where these say nothing."""
        if values(other) == SILENT:
            return self
        if values(self) == SILENT:
            return other
        return replace(other, **self.given_fields(), extra={**other.extra, **self.extra})

    def given_fields(self) -> dict[str, object]:
        """Return the options that are set, `extra` aside, as they are."""
        given = values(self)
        if given == SILENT:
            return {}
        pairs = zip(names(self), given, strict=True)
        return {name: value for name, value in pairs if value is not None and name != "extra"}


SILENT: Final = values(Options())
"""What options that say nothing hold."""


class Endpoint(Record):
    """Where one provider's API is and how it is spoken to.

    Args:
        provider: its name in the configuration or the catalogue.
        model: the model to ask for.
        base_url: without a trailing slash; ends as that API's own does.
        api_key: None for servers that want none.
        headers: sent with each request, after the adapter's own.
        extra_body: merged into each request's body.
        quirks: names from the adapter's closed set of deviations.
    """

    provider: str
    model: str
    base_url: str
    api_key: Secret | None = None
    headers: Mapping[str, str] = NO_HEADERS
    extra_body: Mapping[str, Json] = NOTHING
    quirks: frozenset[str] = frozenset()

    def redact(self, text: str) -> str:
        """Return `text` with the key, and what telling headers hold, replaced by where they come from."""
        if self.api_key is not None:
            text = self.api_key.redact(text)
        for name, value in self.headers.items():
            # without the scheme: "Bearer sk-..."
            secret = value.rpartition(" ")[2]
            if tells_a_secret(name):
                text = Secret(secret, name).redact(text)
        return text

    def redact_bytes(self, data: bytes) -> bytes:
        """Return a body with the same replaced, before anybody decodes or shortens it."""
        return self.redact(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
