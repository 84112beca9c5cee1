"""Convert what the library accepts as a prompt: a string, messages of several kinds, or a Prompt."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from llmstream.errors import UsageError
from llmstream.nearest import did_you_mean
from llmstream.prompt import Attachment, Message, Prompt, ToolCall
from llmstream.runnable.foreign_prompts import plain

PromptLike: TypeAlias = str | Prompt | Message | Sequence[Message | Mapping[str, object]]

ROLES: Final[Mapping[str, str]] = {
    "system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant",
    "ai": "assistant", "tool": "tool",
}  # fmt: skip
KEYS: Final = frozenset({"role", "content", "tool_calls", "tool_call_id", "name"})


def prompt_of(value: PromptLike) -> Prompt:
    """Return a value as a Prompt; a Prompt is returned unchanged.

    Raises:
        UsageError: it is empty, or a message has an unknown role or key, or a value of the wrong type;
            the error names the field.
    """
    if isinstance(value, Prompt):
        return value
    value = Message("user", value) if isinstance(value, str) else plain(value)  # type: ignore[assignment]
    if isinstance(value, Message):
        value = [value]
    if not isinstance(value, Sequence) or isinstance(value, bytes | bytearray):
        raise UsageError(f"a prompt is text or a list of messages, not {_type(value)}")
    messages = tuple(
        one if isinstance(one, Message) else _message(one, f"messages[{at}]") for at, one in enumerate(value)
    )
    if not any(message.content or message.attachments for message in messages):
        raise UsageError("the prompt is empty")
    return Prompt(messages)


def _type(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _message(entry: object, where: str) -> Message:
    if not isinstance(entry, Mapping):
        raise UsageError(f"{where}: a message is a dictionary with role and content, not {_type(entry)}")
    for key in entry:
        if key not in KEYS:
            raise UsageError(
                f"{where}: unknown key {key!r}{did_you_mean(str(key), KEYS)}",
                hint=f"keys of a message: {', '.join(sorted(KEYS))}",
            )
    role = ROLES.get(str(entry.get("role")))
    if role is None:
        said = f"unknown role {entry['role']!r}" if "role" in entry else "no role"
        right = did_you_mean(str(entry.get("role")), ROLES)
        raise UsageError(f"{where}: {said}{right}", hint=f"roles: {', '.join(ROLES)}")
    calls = _calls(entry.get("tool_calls"), f"{where}.tool_calls")
    content = entry.get("content")
    if content is None and not calls:
        raise UsageError(f"{where} ({role}): no content")
    text, attachments = _content(content, f"{where}.content")
    return Message(
        role,
        text,
        attachments,
        calls,
        _optional(entry, "tool_call_id", where),
        _optional(entry, "name", where),
    )


def _optional(entry: Mapping[object, object], key: str, where: str) -> str | None:
    value = entry.get(key)
    return None if value is None else _text(value, f"{where}.{key}")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{where} must be text, not {_type(value)}")
    return value


def _content(content: object, where: str) -> tuple[str, tuple[Attachment, ...]]:
    if content is None or isinstance(content, str):
        return content or "", ()
    if not isinstance(content, Sequence) or isinstance(content, bytes | bytearray):
        raise UsageError(f"{where} must be text or a list of parts, not {_type(content)}")
    texts: list[str] = []
    attachments: list[Attachment] = []
    for at, part in enumerate(content):
        here = f"{where}[{at}]"
        if not isinstance(part, Mapping):
            raise UsageError(f"{here} must be a dictionary with a type, not {_type(part)}")
        if part.get("type") == "text":
            texts.append(_text(part.get("text"), f"{here}.text"))
        elif part.get("type") == "image_url":
            url = part.get("image_url")
            inner = url.get("url") if isinstance(url, Mapping) else url
            attachments.append(attachment_at(_text(inner, f"{here}.image_url")))
        else:
            raise UsageError(f"{here} has an unknown type: {part.get('type')!r}", hint="text, image_url")
    return "".join(texts), tuple(attachments)


def attachment_at(url: str) -> Attachment:
    """Return a URL as an attachment; a ``data:`` URL is decoded.

    Raises:
        UsageError: a ``data:`` URL is not valid base64.
    """
    if not url.startswith("data:"):
        return Attachment("image/*", url=url)
    head, _, data = url[5:].partition(",")
    try:
        return Attachment(head.partition(";")[0], b64decode(data, validate=True))
    except ValueError as error:
        raise UsageError(f"the data URL of an attachment is not base64: {error}") from error


def _calls(calls: object, where: str) -> tuple[ToolCall, ...]:
    if calls is None:
        return ()
    if not isinstance(calls, Sequence) or isinstance(calls, str | bytes):
        raise UsageError(f"{where} must be a list, not {_type(calls)}")
    return tuple(_call(index, call, f"{where}[{index}]") for index, call in enumerate(calls))


def _call(index: int, call: object, where: str) -> ToolCall:
    function = call.get("function", call) if isinstance(call, Mapping) else None
    if not isinstance(call, Mapping) or not isinstance(function, Mapping):
        raise UsageError(f"{where} must be a dictionary with a function, not {_type(call)}")
    id_ = call.get("id")
    return ToolCall(
        index,
        None if id_ is None else _text(id_, f"{where}.id"),
        _text(function.get("name"), f"{where}.function.name"),
        _arguments(function.get("arguments", ""), f"{where}.function.arguments"),
    )


def _arguments(value: object, where: str) -> str:
    """Return a tool call's arguments, JSON text or a dictionary, as JSON text."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        raise UsageError(f"{where} must be a dictionary or JSON text, not {_type(value)}")
    from json import dumps

    try:
        return dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{where} can't be written as JSON: {error}") from error
