"""The body of a request to OpenAI's responses API.

Sources: OpenAI API reference, "Create a model response"; guides "Migrate to the Responses API",
"Structured model outputs", "Function calling", "Images and vision" and "File inputs", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters.openai_messages import data_url
from llmstream.adapters.sampling import fields, left_out
from llmstream.prompt import Attachment, Json, Message, Options, Prompt

FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "max_tokens": "max_output_tokens", "top_p": "top_p",
}  # fmt: skip
TAKEN: Final = frozenset({*FIELDS, "reasoning_effort", "schema", "tools", "tool_choice"})


def body(prompt: Prompt, options: Options) -> dict[str, Json]:
    """Return the body, without model and stream; the provider is asked not to store the response."""
    made: dict[str, Json] = {"input": [item for m in prompt.turns for item in _items(m)], "store": False}
    if prompt.system:
        made["instructions"] = prompt.system
    made.update(fields(options, FIELDS))
    if options.reasoning_effort is not None:
        # without a summary, the model thinks but shows nothing of it
        seen: dict[str, Json] = {} if options.reasoning_effort == "none" else {"summary": "auto"}
        made["reasoning"] = {"effort": options.reasoning_effort, **seen}
    if options.schema is not None:
        schema: Json = dict(options.schema)
        made["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}}
    if options.tools is not None:
        made["tools"] = [_tool(tool) for tool in options.tools]
    if options.tool_choice is not None:
        made["tool_choice"] = _tool_choice(options.tool_choice)
    made.update(options.extra)
    return made


def notices(prompt: Prompt, options: Options) -> Iterator[str]:
    """Yield a notice for each option or attachment that can't be sent."""
    yield from left_out("openai-responses", options, TAKEN)
    for attachment in (a for message in prompt.messages for a in message.attachments):
        if not _taken(attachment):
            what = attachment.name or "an attachment"
            yield f"openai-responses doesn't accept {attachment.media_type}: {what} is left out"


def _taken(attachment: Attachment) -> bool:
    return not attachment.media_type.startswith(("audio/", "video/"))


def _items(message: Message) -> Iterator[Json]:
    """Yield a message's items; tool calls and their results are separate items."""
    if message.role == "tool":
        yield {"type": "function_call_output", "call_id": message.tool_call_id, "output": message.content}
        return
    if message.content or not message.tool_calls:
        yield _said(message)
    for call in message.tool_calls:
        yield {
            "type": "function_call",
            "call_id": call.id or f"call_{call.index}",
            "name": call.name,
            "arguments": call.arguments or "{}",
        }


def _said(message: Message) -> Json:
    if message.role != "assistant":
        return {"role": message.role, "content": _content(message)}
    # llama.cpp refuses the short form, content as a string, for the model's own messages
    parts: list[Json] = [{"type": "output_text", "text": message.content}]
    return {"type": "message", "role": "assistant", "content": parts}


def _content(message: Message) -> Json:
    taken = [a for a in message.attachments if _taken(a)]
    if not taken:
        return message.content
    parts: list[Json] = [{"type": "input_text", "text": message.content}] if message.content else []
    return [*parts, *map(_part, taken)]


def _part(attachment: Attachment) -> Json:
    if attachment.media_type.startswith("image/"):
        return {"type": "input_image", "image_url": data_url(attachment)}
    if attachment.data is None:
        return {"type": "input_file", "file_url": attachment.url}
    return {
        "type": "input_file",
        "filename": attachment.name or "file",
        "file_data": data_url(attachment),
    }


def _tool(tool: Mapping[str, Json]) -> Json:
    """Return a tool in the flat form of this API; a tool without a ``function`` object is unchanged.

    ``strict`` is set to false by default, as in the chat API; in this API, it defaults to true.
    """
    function = tool.get("function")
    if not isinstance(function, dict):
        return dict(tool)
    return {
        "type": "function",
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
        **function,
    }


def _tool_choice(choice: str) -> Json:
    return choice if choice in ("auto", "none", "required") else {"type": "function", "name": choice}
