"""The body of a request to Cohere's chat API, version 2.

Sources: Cohere API reference, "Chat with Streaming" (v2/chat); guides "Reasoning", "Structured Outputs",
"Image Inputs" and "Tool Use", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters.openai_messages import chat_messages
from llmstream.adapters.sampling import fields, left_out
from llmstream.prompt import Attachment, Json, Message, Options, Prompt
from llmstream.record import replace

FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "max_tokens": "max_tokens", "top_p": "p", "top_k": "k",
    "stop": "stop_sequences", "seed": "seed", "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty", "tools": "tools",
}  # fmt: skip
TAKEN: Final = frozenset({*FIELDS, "tool_choice", "reasoning_effort", "schema"})

TOOL_CHOICES: Final[Mapping[str, str]] = {"none": "NONE", "required": "REQUIRED"}


def body(prompt: Prompt, options: Options) -> dict[str, Json]:
    """Return the body, without model and stream; its messages have OpenAI's format."""
    messages = Prompt(tuple(_with_images(message) for message in prompt.messages))
    made: dict[str, Json] = {"messages": list(chat_messages(messages))}
    made.update(fields(options, FIELDS))
    choice = TOOL_CHOICES.get(options.tool_choice or "")
    if choice is not None:
        made["tool_choice"] = choice
    if options.reasoning_effort is not None:
        made["thinking"] = {"type": "disabled" if options.reasoning_effort == "none" else "enabled"}
    if options.schema is not None:
        made["response_format"] = {"type": "json_object", "json_schema": dict(options.schema)}
    made.update(options.extra)
    return made


def _with_images(message: Message) -> Message:
    return replace(message, attachments=tuple(a for a in message.attachments if _is_image(a)))


def _is_image(attachment: Attachment) -> bool:
    return attachment.media_type.startswith("image/")


def notices(prompt: Prompt, options: Options) -> Iterator[str]:
    """Yield a notice for each option or attachment that can't be sent."""
    yield from left_out("cohere", options, TAKEN)
    for attachment in (a for message in prompt.messages for a in message.attachments if not _is_image(a)):
        yield f"cohere accepts only images: {attachment.name or attachment.media_type} is left out"
    if options.tool_choice not in (None, "auto", *TOOL_CHOICES):
        yield "cohere can't be forced to call a particular tool: tool_choice is left out"
    if options.reasoning_effort not in (None, "none"):
        yield "cohere has no levels of reasoning_effort: reasoning is turned on"
