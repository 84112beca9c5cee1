"""A prompt's messages in the format of OpenAI's chat API, with attachments and tool calls.

Sources: OpenAI API reference, "Create chat completion", `messages`; DeepSeek, "Thinking Mode", and Moonshot
on ``reasoning_content``; read 2026-11.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.errors import ProviderError
from llmstream.prompt import Attachment, Json, Message, Prompt, ToolCall
from llmstream.record import replace

THOUGHT: Final = "reasoning_content"
NO_THOUGHT: Final = " "
"""Sent for thinking that is not known; Moonshot and DeepSeek reject an empty text."""


def chat_messages(prompt: Prompt) -> Iterator[Json]:
    """Yield each message in the API's format."""
    for message in prompt.messages:
        entry: dict[str, Json] = {"role": message.role, "content": _content(message)}
        if message.tool_calls:
            entry["tool_calls"] = [_call(call) for call in message.tool_calls]
        if message.tool_call_id is not None:
            entry["tool_call_id"] = message.tool_call_id
        yield entry


def with_thoughts(request: HttpRequest, error: ProviderError) -> HttpRequest | None:
    """Return the request with the thinking of the model's earlier messages, None if the error wants none.

    While thinking, DeepSeek and Moonshot reject a conversation with tool calls without it; most other servers
    don't know the field.
    """
    if not common.names_field(error, THOUGHT):
        return None
    body = json.loads(request.body)
    answers = [
        (message, thought)
        for message, thought in zip_longest(body["messages"], request.thoughts)
        if message is not None and message.get("role") == "assistant" and THOUGHT not in message
    ]
    for message, thought in answers:
        message[THOUGHT] = thought or NO_THOUGHT
    return replace(request, body=common.encode(body)) if answers else None


def notices(prompt: Prompt) -> Iterator[str]:
    """Yield a notice for each attachment that can't be sent."""
    for attachment in (a for message in prompt.messages for a in message.attachments):
        if not _taken(attachment):
            yield f"the chat API doesn't accept {attachment.media_type} by URL: {attachment.url} is left out"


def _taken(attachment: Attachment) -> bool:
    return attachment.data is not None or attachment.media_type.startswith("image/")


def data_url(attachment: Attachment) -> str:
    """Return an attachment's own URL, or a ``data:`` URL with its bytes."""
    if attachment.data is None:
        return attachment.url or ""
    return f"data:{attachment.media_type};base64,{base64_of(attachment)}"


def base64_of(attachment: Attachment) -> str:
    """Return an attachment's bytes as base64 text."""
    return b64encode(attachment.data or b"").decode()


def _content(message: Message) -> Json:
    taken = list(filter(_taken, message.attachments))
    if not taken:
        return message.content
    parts: list[Json] = [{"type": "text", "text": message.content}] if message.content else []
    return [*parts, *map(_part, taken)]


def _part(attachment: Attachment) -> Json:
    kind, _, form = attachment.media_type.partition("/")
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": data_url(attachment)}}
    if kind == "audio":
        form = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav"}.get(form, form)
        return {"type": "input_audio", "input_audio": {"data": base64_of(attachment), "format": form}}
    return {
        "type": "file",
        "file": {"filename": attachment.name or "file", "file_data": data_url(attachment)},
    }


def _call(call: ToolCall) -> Json:
    function: Json = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id or f"call_{call.index}", "type": "function", "function": function}
