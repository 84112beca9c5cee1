"""The body of a request to Anthropic's messages API.

Sources: Anthropic API reference, "Create a Message"; guides "Extended thinking", "Tool use",
"Structured outputs", "Vision" and "PDF support", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters.json_values import arguments_object
from llmstream.adapters.openai_messages import base64_of
from llmstream.prompt import Attachment, Json, Message, Options, Prompt

MAX_TOKENS: Final = 4096
"""The API has no default of its own: every model takes this many."""
FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "stop": "stop_sequences",
}  # fmt: skip
BUDGETS: Final[Mapping[str, int]] = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 24576}
"""Tokens of thinking for each reasoning_effort; 1024 is the least that is allowed."""
UNKNOWN: Final = ("seed", "frequency_penalty", "presence_penalty")
"""Options that the API does not have."""
TOOL_CHOICES: Final[Mapping[str, str]] = {"auto": "auto", "none": "none", "required": "any"}


def body(prompt: Prompt, options: Options) -> dict[str, Json]:
    """Return the body, without model and stream."""
    budget = BUDGETS.get(options.reasoning_effort or "", 0)
    made: dict[str, Json] = {
        # the limit includes the thinking
        "max_tokens": options.max_tokens or MAX_TOKENS + budget,
        "messages": list(_messages(prompt)),
    }
    if prompt.system:
        made["system"] = prompt.system
    made.update({FIELDS[name]: value for name, value in options.given().items() if name in FIELDS})
    if budget:
        made["thinking"] = {"type": "enabled", "budget_tokens": budget}
    if options.tools is not None:
        made["tools"] = [_tool(tool) for tool in options.tools]
    if options.tool_choice is not None:
        made["tool_choice"] = _tool_choice(options.tool_choice)
    if options.schema is not None:
        made["output_config"] = {"format": {"type": "json_schema", "schema": dict(options.schema)}}
    made.update(options.extra)
    return made


def notices(prompt: Prompt, options: Options) -> Iterator[str]:
    """Yield what can't be sent, each as one sentence."""
    for name in UNKNOWN:
        if getattr(options, name) is not None:
            yield f"anthropic takes no option {name!r}: left out"
    effort = options.reasoning_effort
    if effort not in (None, "none", *BUDGETS):
        yield f"anthropic knows no reasoning_effort {effort!r}: left out"
    for attachment in (a for message in prompt.messages for a in message.attachments):
        if _block_kind(attachment) is None:
            what = attachment.name or "an attachment"
            yield f"anthropic takes no {attachment.media_type}: {what} is left out"


def _messages(prompt: Prompt) -> Iterator[Json]:
    for message in prompt.turns:
        role = "assistant" if message.role == "assistant" else "user"
        yield {"role": role, "content": _content(message)}


def _content(message: Message) -> Json:
    if message.role == "tool":
        result: Json = {
            "type": "tool_result",
            "tool_use_id": message.tool_call_id,
            "content": message.content,
        }
        return [result]
    if not (message.attachments or message.tool_calls):
        return message.content
    blocks: list[Json] = [_attached(a) for a in message.attachments if _block_kind(a) is not None]
    # the guides ask for images before the text
    if message.content:
        blocks.append({"type": "text", "text": message.content})
    for call in message.tool_calls:
        blocks.append({"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_object(call)})
    return blocks


def _block_kind(attachment: Attachment) -> str | None:
    if attachment.media_type.startswith("image/"):
        return "image"
    return "document" if attachment.media_type == "application/pdf" else None


def _attached(attachment: Attachment) -> Json:
    source: Json = {"type": "url", "url": attachment.url}
    if attachment.data is not None:
        source = {"type": "base64", "media_type": attachment.media_type, "data": base64_of(attachment)}
    return {"type": _block_kind(attachment), "source": source}


def _tool(tool: Mapping[str, Json]) -> Json:
    """Return a tool in Anthropic's form; one that has that form already stays."""
    function = tool.get("function")
    if not isinstance(function, dict):
        return dict(tool)
    made: dict[str, Json] = {
        "name": function.get("name"),
        "input_schema": function.get("parameters") or _NO_INPUT,
    }
    if function.get("description"):
        made["description"] = function["description"]
    return made


_NO_INPUT: Final[dict[str, Json]] = {"type": "object", "properties": {}}


def _tool_choice(choice: str) -> Json:
    known = TOOL_CHOICES.get(choice)
    return {"type": known} if known else {"type": "tool", "name": choice}
