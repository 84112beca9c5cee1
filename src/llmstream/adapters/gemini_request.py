"""The body of a request to Google's Gemini API.

Sources: Gemini API reference, "Generating content" (v1beta, GenerateContentRequest) and "Caching"
(Content, Part, Tool, ToolConfig); guides "Gemini thinking", "Thought signatures", "Structured
output", "Function calling" and "File input methods", read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from llmstream.adapters.json_values import arguments_object
from llmstream.adapters.openai_messages import base64_of
from llmstream.adapters.sampling import fields, left_out
from llmstream.prompt import Attachment, Json, Message, Options, Prompt

FIELDS: Final[Mapping[str, str]] = {
    "temperature": "temperature", "max_tokens": "maxOutputTokens", "top_p": "topP", "top_k": "topK",
    "stop": "stopSequences", "seed": "seed", "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
}  # fmt: skip
"""Our options -> names inside of ``generationConfig``."""
TAKEN: Final = frozenset({*FIELDS, "reasoning_effort", "tools", "tool_choice", "schema"})

BUDGETS: Final[Mapping[str, int]] = {
    "none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576,
}  # fmt: skip
"""Tokens of thinking for each reasoning_effort, as far as the models of version 2.5 count them.

Source: "OpenAI compatibility", table of reasoning_effort.
"""

LEVELS: Final[Mapping[str, str]] = {
    "none": "minimal", "minimal": "minimal", "low": "low", "medium": "medium", "high": "high",
}  # fmt: skip
"""``thinkingLevel`` of newer models, whose thinking can't be turned off."""

TOOL_CHOICES: Final[Mapping[str, str]] = {"auto": "AUTO", "none": "NONE", "required": "ANY"}

NO_SIGNATURE: Final = "skip_thought_signature_validator"
"""A value that newer models accept in place of a call's signature, which our messages don't store.

Source: "Thought signatures", on calls that the API did not make.
"""


def model_path(model: str) -> str:
    """Return a model's path; a name with a slash already is one: ``tunedModels/...``."""
    return quote(model if "/" in model else f"models/{model}", safe="/@")


def body(prompt: Prompt, options: Options, model: str) -> dict[str, Json]:
    """Return the body without the user's own fields."""
    made: dict[str, Json] = {"contents": _contents(prompt, signed=not _counts_tokens(model))}
    if prompt.system:
        made["systemInstruction"] = {"parts": [{"text": prompt.system}]}
    config = _config(options, model)
    if config:
        made["generationConfig"] = config
    if options.tools is not None:
        made["tools"] = _tools(options.tools)
    if options.tool_choice is not None:
        made["toolConfig"] = {"functionCallingConfig": _tool_choice(options.tool_choice)}
    return made


def notices(options: Options, model: str) -> Iterator[str]:
    """Yield what can't be sent, each as one sentence."""
    yield from left_out("gemini", options, TAKEN)
    effort = options.reasoning_effort
    if effort not in (None, *LEVELS):
        yield f"gemini doesn't support reasoning_effort {effort!r}: left out"
    if effort == "none" and not _counts_tokens(model):
        yield f"{model} can't turn thinking off; asked it to think as little as possible"


def _counts_tokens(model: str) -> bool:
    """Return whether a model is older than version 3, which has levels of thinking, and signatures."""
    return model.rpartition("/")[2].startswith(("gemini-1", "gemini-2"))


def _config(options: Options, model: str) -> dict[str, Json]:
    config = fields(options, FIELDS)
    if options.schema is not None:
        config["responseMimeType"] = "application/json"
        config["responseJsonSchema"] = dict(options.schema)
    effort = options.reasoning_effort
    if effort is not None and effort in LEVELS:
        thinking: dict[str, Json] = {"includeThoughts": effort != "none"}
        if _counts_tokens(model):
            thinking["thinkingBudget"] = BUDGETS[effort]
        else:
            thinking["thinkingLevel"] = LEVELS[effort]
        config["thinkingConfig"] = thinking
    return config


def _contents(prompt: Prompt, *, signed: bool) -> list[Json]:
    """Return the turns; results of tools that follow each other make one, as calls in parallel do."""
    contents: list[Json] = []
    names: dict[str | None, str] = {}
    results: list[Json] = []
    for message in prompt.turns:
        if message.role == "tool":
            if not results:
                contents.append({"role": "user", "parts": results})
            results.append(_result(message, names))
            continue
        results = []
        names.update({call.id: call.name for call in message.tool_calls})
        role = "model" if message.role == "assistant" else "user"
        contents.append({"role": role, "parts": list(_parts(message, signed=signed))})
    return contents


def _parts(message: Message, *, signed: bool) -> Iterator[Json]:
    yield from map(_attached, message.attachments)
    if message.content or not (message.attachments or message.tool_calls):
        yield {"text": message.content}
    for position, call in enumerate(message.tool_calls):
        made: dict[str, Json] = {"name": call.name, "args": arguments_object(call)}
        if call.id is not None:
            made["id"] = call.id
        # of calls in parallel, the first one alone has a signature
        yield {
            "functionCall": made,
            **({"thoughtSignature": NO_SIGNATURE} if signed and not position else {}),
        }


def _attached(attachment: Attachment) -> Json:
    if attachment.data is None:
        return {"fileData": {"mimeType": attachment.media_type, "fileUri": attachment.url}}
    return {"inlineData": {"mimeType": attachment.media_type, "data": base64_of(attachment)}}


def _result(message: Message, names: Mapping[str | None, str]) -> Json:
    """Return a tool's result, which must be an object and bear the tool's name."""
    try:
        value = json.loads(message.content)
    except (ValueError, RecursionError):
        value = None
    made: dict[str, Json] = {
        "name": message.name or names.get(message.tool_call_id, ""),
        "response": value if isinstance(value, dict) else {"result": message.content},
    }
    if message.tool_call_id is not None:
        made["id"] = message.tool_call_id
    return {"functionResponse": made}


def _tools(tools: tuple[Mapping[str, Json], ...]) -> list[Json]:
    """Return functions in one entry, and as they are those in Gemini's form: ``{"googleSearch": {}}``."""
    functions: list[Json] = []
    others: list[Json] = []
    for tool in tools:
        function = tool.get("function")
        if isinstance(function, dict):
            functions.append(_declaration(function))
        else:
            others.append(dict(tool))
    declared: list[Json] = [{"functionDeclarations": functions}] if functions else []
    return declared + others


def _declaration(function: Mapping[str, Json]) -> Json:
    """Return a function in Gemini's form; its ``parameters`` would be a part of JSON Schema only."""
    made = {name: function[name] for name in ("name", "description") if function.get(name)}
    if function.get("parameters"):
        made["parametersJsonSchema"] = function["parameters"]
    return made


def _tool_choice(choice: str) -> Json:
    mode = TOOL_CHOICES.get(choice)
    return {"mode": mode} if mode else {"mode": "ANY", "allowedFunctionNames": [choice]}
