"""The body of a request to Anthropic's messages API.

Sources: Anthropic API reference, "Create a Message"; guides "Adaptive thinking", "Effort", "Extended
thinking", "Tool use", "Structured outputs", "Vision" and "PDF support", read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.adapters.json_values import arguments_object, laid_over
from llmstream.adapters.openai_messages import base64_of
from llmstream.adapters.sampling import fields, left_out
from llmstream.prompt import Attachment, Json, Message, Options, Prompt

MAX_TOKENS: Final = 4096
"""Default limit, because the API requires one; all models accept this value."""
FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "stop": "stop_sequences",
}  # fmt: skip
EFFORTS: Final[Mapping[str, str]] = {
    "minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max",
}  # fmt: skip
"""Our reasoning_effort -> ``output_config.effort`` of models since 4.6; low is the lowest."""
LEAST_BUDGET: Final = 1024
BUDGETS: Final[Mapping[str, int]] = {"low": 2048, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 32768}
"""Effort -> ``budget_tokens``, which older models expect instead; also added to the default limit."""
NOT_WITH_THINKING: Final = ("temperature", "top_k")
"""Options that the API refuses together with thinking ("Extended thinking", on compatible features)."""
OLDER_MODEL: Final = re.compile(
    r"adaptive|effort\b.*\bnot support|not support\b.*\beffort|output_config: extra", re.IGNORECASE
)
"""Matches the errors of models without adaptive thinking or effort: "adaptive thinking is not
supported on this model", "This model does not support the effort parameter"."""
TAKEN: Final = frozenset({*FIELDS, "max_tokens", "reasoning_effort", "tools", "tool_choice", "schema"})
TOOL_CHOICES: Final[Mapping[str, str]] = {"auto": "auto", "none": "none", "required": "any"}


def body(prompt: Prompt, options: Options) -> dict[str, Json]:
    """Return the body, without model and stream."""
    effort = EFFORTS.get(options.reasoning_effort or "")
    refused = NOT_WITH_THINKING if effort else ()
    made: dict[str, Json] = {
        # the limit includes the thinking
        "max_tokens": options.max_tokens or MAX_TOKENS + BUDGETS.get(effort or "", 0),
        "messages": list(_messages(prompt)),
    }
    if prompt.system:
        made["system"] = prompt.system
    made.update(fields(options, {k: v for k, v in FIELDS.items() if k not in refused}))
    output: dict[str, Json] = {}
    if effort:
        # newer models hide their thinking unless it is requested
        made["thinking"] = {"type": "adaptive", "display": "summarized"}
        output["effort"] = effort
    elif options.reasoning_effort == "none":
        made["thinking"] = {"type": "disabled"}
    if options.tools is not None:
        made["tools"] = [_tool(tool) for tool in options.tools]
    if options.tool_choice is not None:
        made["tool_choice"] = _tool_choice(options.tool_choice)
    if options.schema is not None:
        output["format"] = {"type": "json_schema", "schema": dict(options.schema)}
    if output:
        made["output_config"] = output
    return laid_over(made, options.extra)


def with_other_thinking(sent: dict[str, Json], refusal: str) -> dict[str, Json] | None:
    """Return a body with thinking as other models expect it, None if the error isn't about thinking.

    Models before 4.6 require a number of tokens, and the newest can't turn thinking off.

    Args:
        sent: the refused body, made by `body`.
        refusal: the provider's error message.
    """
    thinking, output = sent.get("thinking"), sent.get("output_config")
    if thinking == {"type": "disabled"} and "disabled" in refusal:
        return {name: value for name, value in sent.items() if name != "thinking"}
    adaptive = isinstance(thinking, dict) and thinking.get("type") == "adaptive"
    if not (adaptive and isinstance(output, dict) and OLDER_MODEL.search(refusal)):
        return None
    budget, limit = BUDGETS.get(str(output.get("effort")), LEAST_BUDGET), sent["max_tokens"]
    if isinstance(limit, int) and limit <= budget:
        budget = max(LEAST_BUDGET, limit // 2)
    revised: dict[str, Json] = {name: value for name, value in sent.items() if name != "output_config"}
    revised["thinking"] = {"type": "enabled", "budget_tokens": budget}
    kept = {name: value for name, value in output.items() if name != "effort"}
    if kept:
        revised["output_config"] = kept
    return revised


def notices(prompt: Prompt, options: Options) -> Iterator[str]:
    """Yield a notice for each option or attachment that can't be sent."""
    yield from left_out("anthropic", options, TAKEN)
    effort = options.reasoning_effort or ""
    if effort in EFFORTS:
        if EFFORTS[effort] != effort:
            yield f"anthropic doesn't support reasoning_effort {effort!r}; sent {EFFORTS[effort]!r} instead"
        for name in NOT_WITH_THINKING:
            if getattr(options, name) is not None:
                yield f"anthropic doesn't support {name!r} together with reasoning_effort: left out"
    elif effort not in ("", "none"):
        yield f"anthropic doesn't support reasoning_effort {effort!r}: left out"
    for attachment in (a for message in prompt.messages for a in message.attachments):
        if _block_kind(attachment) is None:
            what = attachment.name or "an attachment"
            yield f"anthropic doesn't accept {attachment.media_type}: {what} is left out"


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
    # the guides recommend placing images before the text
    if message.content:
        blocks.append({"type": "text", "text": message.content})
    for call in message.tool_calls:
        id_ = call.id or f"call_{call.index}"
        blocks.append({"type": "tool_use", "id": id_, "name": call.name, "input": arguments_object(call)})
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
    """Return a tool in Anthropic's form; one already in that form is unchanged."""
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
