"""What the library takes for a prompt: a text, messages as dictionaries, or a Prompt."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from llmstream.errors import UsageError
from llmstream.prompt import Attachment, Json, Message, Prompt, ToolCall

PromptLike: TypeAlias = str | Prompt | Message | Sequence[Message | Mapping[str, object]]

ROLES: Final[Mapping[str, str]] = {
    "system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant",
    "ai": "assistant", "tool": "tool",
}  # fmt: skip
KEYS: Final = frozenset({"role", "content", "tool_calls", "tool_call_id", "name"})


def prompt_of(value: PromptLike) -> Prompt:
    """Return a prompt.

    Raises:
        UsageError: it is empty, or a message has a role or key that there is not.
    """
    if isinstance(value, Prompt):
        return value
    if isinstance(value, str):
        value = Message("user", value)
    if isinstance(value, Message):
        value = [value]
    if not isinstance(value, Sequence):
        raise UsageError(f"a prompt is a text or a list of messages, not {type(value).__name__}")
    messages = tuple(one if isinstance(one, Message) else _message(one) for one in value)
    if not any(message.content or message.attachments for message in messages):
        raise UsageError("the prompt is empty")
    return Prompt(messages)


def _message(entry: object) -> Message:
    if not isinstance(entry, Mapping):
        raise UsageError(f"a message is a dictionary with role and content, not {type(entry).__name__}")
    unknown = set(entry) - KEYS
    role = ROLES.get(str(entry.get("role")))
    if unknown or role is None:
        wrong = f"key {min(unknown)!r}" if unknown else f"role {entry.get('role')!r}"
        raise UsageError(
            f"a message has no {wrong}", hint=f"keys: {', '.join(sorted(KEYS))}; roles: {', '.join(ROLES)}"
        )
    text, attachments = _content(entry.get("content"))
    calls = entry.get("tool_calls")
    return Message(
        role,
        text,
        attachments,
        tuple(_call(index, call) for index, call in enumerate(calls)) if isinstance(calls, Sequence) else (),
        _text(entry, "tool_call_id"),
        _text(entry, "name"),
    )


def _text(entry: Mapping[str, object], key: str) -> str | None:
    value = entry.get(key)
    return None if value is None else str(value)


def _content(content: object) -> tuple[str, tuple[Attachment, ...]]:
    if content is None or isinstance(content, str):
        return content or "", ()
    if not isinstance(content, Sequence):
        raise UsageError(f"a message's content is a text or a list of parts, not {type(content).__name__}")
    texts: list[str] = []
    attachments: list[Attachment] = []
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text":
            texts.append(str(part["text"]))
        elif kind == "image_url":
            url = part["image_url"]
            attachments.append(attachment_at(str(url["url"] if isinstance(url, Mapping) else url)))
        else:
            raise UsageError(
                f"a part of a message's content has no known type: {kind!r}", hint="text, image_url"
            )
    return "".join(texts), tuple(attachments)


def attachment_at(url: str) -> Attachment:
    """Return what a URL stands for; ``data:`` URLs are taken apart."""
    if not url.startswith("data:"):
        return Attachment("image/*", url=url)
    head, _, data = url[5:].partition(",")
    try:
        return Attachment(head.partition(";")[0], b64decode(data, validate=True))
    except ValueError as error:
        raise UsageError(f"a data URL of an attachment is no base64: {error}") from error


def _call(index: int, call: object) -> ToolCall:
    if not isinstance(call, Mapping):
        raise UsageError("a tool call is a dictionary")
    function = call.get("function", call)
    arguments: Json = function.get("arguments", "")
    return ToolCall(
        index,
        call.get("id"),
        str(function["name"]),
        arguments if isinstance(arguments, str) else str(arguments),
    )
