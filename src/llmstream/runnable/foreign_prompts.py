"""Convert the LangChain prompts and messages that a chain passes to our Runnables into our dictionaries.

They are recognised without importing LangChain: a prompt value has `to_messages`, a message `type` and
`content`.

Source: langchain-core 1.8, `PromptValue`, `BaseMessage`, `ToolCall`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmstream.prompt import Message, Prompt


def plain(value: object) -> object:
    """Return a prompt without LangChain's classes; anything else unchanged."""
    if isinstance(value, str | Prompt | Message):
        return value
    if callable(to_messages := getattr(value, "to_messages", None)):
        value = to_messages()
    if _is_message(value):
        value = [value]
    if isinstance(value, Sequence):
        return [_dictionary(one) if _is_message(one) else one for one in value]
    return value


def _is_message(value: object) -> bool:
    return isinstance(getattr(value, "type", None), str) and hasattr(value, "content")


def _dictionary(message: object) -> Mapping[str, object]:
    calls = getattr(message, "tool_calls", None) or ()
    found = {
        # the `type` of a message chunk is its class name
        "role": str(getattr(message, "type", "")).removesuffix("MessageChunk").lower(),
        "content": getattr(message, "content", ""),
        "tool_call_id": getattr(message, "tool_call_id", None),
        "name": getattr(message, "name", None),
        "tool_calls": [{"id": c["id"], "name": c["name"], "arguments": c["args"]} for c in calls],
    }
    return {name: value for name, value in found.items() if value not in (None, [])}
