"""Convert LangChain's messages to this library's, for `ChatLLMStream`.

LangChain converts the content blocks of every integration into a standard form, from which they are
read here, so that a conversation started with another integration can continue with this one.

Source: langchain-core 1.7, `BaseMessage.content_blocks` and `messages/content.py`.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from llmstream.errors import UsageError
from llmstream.prompt import Attachment, Message, ToolCall
from llmstream.runnable.prompts import ROLES, attachment_at

KINDS: Final[Mapping[str, str]] = {
    "image": "image/*", "audio": "audio/*", "video": "video/*", "file": "application/pdf",
}  # fmt: skip
"""Types of blocks with a file, and the media type if they have none, as in LangChain's examples."""


def messages_of(messages: Iterable[BaseMessage]) -> list[Message]:
    """Return messages in this library's form.

    Of a model's message, only the text, the tool calls and the thinking are kept, not other parts, which
    only its own provider understands.

    Raises:
        UsageError: a message has an unknown role, or a part that can't be sent.
    """
    return [_message(message) for message in messages]


def _message(message: BaseMessage) -> Message:
    text: list[str] = []
    thoughts: list[str] = []
    attachments: list[Attachment] = []
    for block in map(dict, message.content_blocks):
        if block["type"] == "text":
            text.append(str(block["text"]))
        elif block["type"] == "text-plain" and block.get("text"):
            text.append(f"{block['text']}\n\n")  # a document; the question about it follows
        elif block["type"] == "reasoning" and isinstance(message, AIMessage):
            thoughts.append(str(block.get("reasoning") or ""))
        elif not isinstance(message, AIMessage):
            attachments.append(_attachment(_plain(block)))
    answered = isinstance(message, ToolMessage | FunctionMessage)
    return Message(
        _role(message),
        "".join(text),
        tuple(attachments),
        tuple(_calls(message)) if isinstance(message, AIMessage) else (),
        message.tool_call_id if isinstance(message, ToolMessage) else None,
        message.name if answered else None,
        "".join(thoughts),
    )


def _role(message: BaseMessage) -> str:
    if isinstance(message, ChatMessage):
        if message.role not in ROLES:
            raise UsageError(f"a message has no role {message.role!r}", hint=f"roles: {', '.join(ROLES)}")
        return ROLES[message.role]
    if isinstance(message, HumanMessage):
        return "user"
    if isinstance(message, AIMessage):
        return "assistant"
    return "system" if isinstance(message, SystemMessage) else "tool"


def _plain(block: Mapping[str, object]) -> Mapping[str, object]:
    """Return the original of a block that LangChain didn't convert, such as OpenAI's image as a bare URL."""
    inner = block.get("value")
    if isinstance(inner, Mapping) and isinstance(inner.get("image_url"), str):
        return {"type": "image", "url": inner["image_url"]}
    return inner if isinstance(inner, Mapping) else block


def _attachment(block: Mapping[str, object]) -> Attachment:
    kind, data, url = block.get("type"), block.get("base64"), block.get("url")
    extras = block.get("extras")
    named = {**extras, **block} if isinstance(extras, Mapping) else block
    name = named.get("filename") or named.get("name")
    if isinstance(url, str) and url.startswith("data:"):
        return attachment_at(url)
    if kind not in KINDS or not (isinstance(data, str) or isinstance(url, str)):
        raise UsageError(
            f"a part of a message can't be sent: {kind!r}",
            hint="supported parts: text, image, audio, video and file, given as data or URL",
        )
    return Attachment(
        media_type=str(block.get("mime_type") or KINDS[str(kind)]),
        data=_decoded(data) if isinstance(data, str) else None,
        url=None if isinstance(data, str) else str(url),
        name=str(name) if name else None,
    )


def _decoded(data: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except ValueError as error:
        raise UsageError(f"the data of an attachment is not base64: {error}") from error


def _calls(message: AIMessage) -> Iterable[ToolCall]:
    """Yield the calls, also those with invalid arguments, because a tool message may answer any."""
    texts = [(c["id"], c["name"], json.dumps(c["args"], ensure_ascii=False)) for c in message.tool_calls]
    texts += [(c["id"], c["name"] or "", c["args"] or "") for c in message.invalid_tool_calls]
    return (ToolCall(index, *call) for index, call in enumerate(texts))
