"""The body of a request to Bedrock's Converse API: messages, attachments, tools, options.

Sources: Amazon Bedrock API Reference, "Converse", "InferenceConfiguration", "OutputFormat", "Message",
"ContentBlock", "ImageBlock", "DocumentBlock", "AudioBlock", "ToolUseBlock", "ToolResultBlock",
"ToolConfiguration", "ToolChoice"; User Guide, "Using the Converse API" (roles alternate, blank text is
refused); read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters.json_values import arguments_object, laid_over
from llmstream.adapters.openai_messages import base64_of
from llmstream.adapters.sampling import fields, left_out
from llmstream.prompt import Attachment, Json, Message, Options, Prompt

FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "max_tokens": "maxTokens", "top_p": "topP", "stop": "stopSequences",
}  # fmt: skip
"""Our options -> fields of ``inferenceConfig``, which all models share."""
TAKEN: Final = frozenset({*FIELDS, "tools", "tool_choice", "schema"})

TOP_LEVEL: Final = frozenset(
    {
        "additionalModelRequestFields", "additionalModelResponseFieldPaths", "guardrailConfig",
        "inferenceConfig", "outputConfig", "performanceConfig", "promptVariables", "requestMetadata",
        "serviceTier", "toolConfig",
    }
)  # fmt: skip
"""Fields of the API itself; all other fields from the user are model parameters."""

IMAGES: Final[Mapping[str, str]] = {
    "image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp",
}  # fmt: skip
AUDIO: Final[Mapping[str, str]] = {
    "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav",
    "audio/flac": "flac", "audio/x-flac": "flac", "audio/ogg": "ogg", "audio/opus": "opus",
    "audio/aac": "aac", "audio/mp4": "m4a", "audio/x-m4a": "m4a", "audio/webm": "webm",
}  # fmt: skip
DOCUMENTS: Final[Mapping[str, str]] = {
    "application/pdf": "pdf", "text/csv": "csv", "text/html": "html", "text/plain": "txt",
    "text/markdown": "md", "application/msword": "doc", "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}  # fmt: skip
"""Media type -> the API's `format`; one table each for image, audio and document blocks."""

_UNNAMEABLE: Final = re.compile(r"[^0-9A-Za-z()\[\]-]+")
_NAME_LENGTH: Final = 190


def body(prompt: Prompt, options: Options) -> dict[str, Json]:
    """Return the body; the model's id is not part of it."""
    made: dict[str, Json] = {"messages": _turns(prompt)}
    if prompt.system:
        made["system"] = [{"text": prompt.system}]
    made["inferenceConfig"] = {**fields(options, FIELDS)}
    tools = _tool_config(prompt, options)
    if tools:
        made["toolConfig"] = tools
    if options.schema is not None:
        # the API expects the schema as a JSON string
        schema: Json = {"name": "answer", "schema": json.dumps(dict(options.schema), ensure_ascii=False)}
        made["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
    made = laid_over(made, {k: v for k, v in options.extra.items() if k in TOP_LEVEL})
    own: dict[str, Json] = {k: v for k, v in options.extra.items() if k not in TOP_LEVEL}
    return laid_over(made, {"additionalModelRequestFields": own}) if own else made


def _turns(prompt: Prompt) -> list[Json]:
    """Return the messages without the system message; consecutive ones of the same role are merged."""
    found: list[Json] = []
    names: set[str] = set()
    last_role, content = "", list[Json]()
    for message in prompt.turns:
        role = "assistant" if message.role == "assistant" else "user"
        if role != last_role:
            content = []
            found.append({"role": role, "content": content})
            last_role = role
        content += _blocks(message, names)
    return found


def _blocks(message: Message, names: set[str]) -> Iterator[Json]:
    if message.role == "tool":
        result: Json = {"toolUseId": message.tool_call_id or "", "content": [{"text": message.content}]}
        yield {"toolResult": result}
        return
    if message.content.strip():
        yield {"text": message.content}
    for attachment in message.attachments:
        if attachment.data is not None:
            yield from _attached(attachment, names)
    for call in message.tool_calls:
        use: Json = {
            "toolUseId": call.id or f"call_{call.index}",
            "name": call.name,
            "input": arguments_object(call),
        }
        yield {"toolUse": use}


def _attached(attachment: Attachment, names: set[str]) -> Iterator[Json]:
    media_type = attachment.media_type
    source: Json = {"bytes": base64_of(attachment)}
    if media_type in IMAGES:
        yield {"image": {"format": IMAGES[media_type], "source": source}}
    elif media_type in AUDIO:
        yield {"audio": {"format": AUDIO[media_type], "source": source}}
    elif media_type in DOCUMENTS:
        name = _document_name(attachment.name or "", names)
        yield {"document": {"format": DOCUMENTS[media_type], "name": name, "source": source}}


def _document_name(name: str, taken: set[str]) -> str:
    """Return a unique name with only the characters that the API allows, and add it to `taken`."""
    plain = _UNNAMEABLE.sub(" ", name.rpartition(".")[0] or name).strip()[:_NAME_LENGTH] or "document"
    unique, number = plain, 1
    while unique in taken:
        number += 1
        unique = f"{plain} {number}"
    taken.add(unique)
    return unique


def _tool_config(prompt: Prompt, options: Options) -> dict[str, Json]:
    """Return ``toolConfig``, empty for none."""
    if not options.tools or (options.tool_choice == "none" and not _has_calls(prompt)):
        return {}
    config: dict[str, Json] = {"tools": [_tool(tool) for tool in options.tools]}
    if options.tool_choice == "required":
        config["toolChoice"] = {"any": {}}
    elif options.tool_choice not in (None, "auto", "none"):
        config["toolChoice"] = {"tool": {"name": options.tool_choice}}
    return config


def _tool(tool: Mapping[str, Json]) -> Json:
    function = tool.get("function")
    if not isinstance(function, dict):
        return dict(tool)  # already in Bedrock's form
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    specification: dict[str, Json] = {"name": function.get("name"), "inputSchema": {"json": schema}}
    # a description must not be empty
    if function.get("description"):
        specification["description"] = function["description"]
    return {"toolSpec": specification}


def _has_calls(prompt: Prompt) -> bool:
    # the API requires a toolConfig if the messages contain calls or results
    return any(message.tool_calls or message.role == "tool" for message in prompt.messages)


def notices(prompt: Prompt, options: Options) -> Iterator[str]:
    """Yield a notice for each option or attachment that can't be sent."""
    yield from left_out("bedrock", options, TAKEN, instead="try the model's own name for it")
    for attachment in (a for message in prompt.messages for a in message.attachments):
        called = attachment.name or attachment.media_type
        if attachment.data is None:
            yield f"bedrock doesn't accept attachments by URL: {called} is left out"
        elif not any(attachment.media_type in table for table in (IMAGES, AUDIO, DOCUMENTS)):
            yield f"bedrock doesn't accept {attachment.media_type}: {called} is left out"
    if options.tools and options.tool_choice == "none" and _has_calls(prompt):
        yield "bedrock can't forbid tool calls once the conversation contains some: tool_choice is left out"
