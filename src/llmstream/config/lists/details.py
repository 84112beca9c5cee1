"""Details of each model in a provider's list: context, inputs, options.

Each provider names these fields differently, if it has them; missing ones are not guessed.  Sources: the
API references of OpenRouter, Mistral, Groq, Gemini, Anthropic, Together, Fireworks, Cohere, xAI, DeepInfra
and vLLM for their lists of models, 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from llmstream.prompt import Json
from llmstream.record import Record

CONTEXT: Final = (
    "context_length", "context_window", "max_context_length", "inputTokenLimit", "max_input_tokens",
    "max_model_len", "max_context_window_tokens", "context_size",
)  # fmt: skip
"""Fields with the context size in tokens; the first that is present is used."""
INPUTS: Final = ("input_modalities", "inputModalities", "modalities", "input")
OPTIONS: Final = ("supported_parameters", "supported_sampling_parameters", "supported_features")
CAPABILITIES: Final[Mapping[str, str]] = {
    "vision": "image", "supports_vision": "image", "supports_image_input": "image", "image_input": "image",
    "pdf_input": "pdf", "supports_image_in": "image", "audio": "audio",
}  # fmt: skip
"""Capability flags and the input that each means."""
MEANT: Final[Mapping[str, str]] = {
    "function_calling": "tools", "supports_tools": "tools", "supports_chat": "", "thinking": "reasoning",
    "supports_reasoning": "reasoning", "structured_outputs": "schema", "reasoning": "reasoning",
}  # fmt: skip
"""Capability flags and the option that each means."""


class Details(Record):
    """What a provider's list says about one model.

    Args:
        context: tokens, None when the provider doesn't say.
        inputs: accepted in addition to text: ``image``, ``audio``, ``pdf``.
        options: accepted options, by the provider's own names.
    """

    context: int | None = None
    inputs: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def cells(self) -> tuple[str, str, str]:
        """Return context, inputs and options as cells of a table."""
        return str(self.context or "-"), ", ".join(self.inputs) or "-", ", ".join(self.options) or "-"

    def to_dict(self) -> dict[str, Json]:
        """Return context, inputs and options as a JSON object."""
        return {"context": self.context, "inputs": list(self.inputs), "options": list(self.options)}


def details_of(document: object, models: list[str]) -> dict[str, Details]:
    """Return the details of each named model in a provider's list.

    Args:
        document: the list, as the provider sent it.
        models: names of the models to return.
    """
    told: dict[str, Details] = {}
    for entry in _entries(document):
        for key in ("id", "name", "model", "modelId", "key"):
            name = entry.get(key)
            if isinstance(name, str):
                told.setdefault(name.removeprefix("models/"), _details(entry))
    return {model: told.get(model, Details()) for model in models}


def _entries(document: object) -> Iterator[Mapping[str, object]]:
    lists = document.values() if isinstance(document, dict) else [document]
    for found in lists:
        if isinstance(found, list):
            yield from (entry for entry in found if isinstance(entry, dict))


def _details(entry: Mapping[str, object]) -> Details:
    places = [entry]
    for key in ("architecture", "capabilities", "top_provider", "details", "model_spec", "metadata"):
        inner = entry.get(key)
        if isinstance(inner, dict):
            places.append(inner)
    context = next((n for place in places for key in CONTEXT if (n := _count(place.get(key)))), None)
    inputs = [word for place in places for key in INPUTS for word in _words(place.get(key))]
    options = [word for place in places for key in OPTIONS for word in _words(place.get(key))]
    for place in places:
        inputs += [meaning for key, meaning in CAPABILITIES.items() if _on(place.get(key))]
        options += [meaning for key, meaning in MEANT.items() if meaning and _on(place.get(key))]
    named = {"file": "pdf", "images": "image"}
    seen = dict.fromkeys(named.get(word, word) for word in inputs)
    return Details(context, tuple(word for word in seen if word != "text"), tuple(dict.fromkeys(options)))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53 else None


def _words(value: object) -> list[str]:
    if isinstance(value, dict):
        value = value.get("input", [])
    words = value if isinstance(value, list) else []
    return [word for word in words if isinstance(word, str)]


def _on(value: object) -> bool:
    return value is True or (isinstance(value, dict) and value.get("supported") is True)
