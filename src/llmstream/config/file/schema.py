"""The JSON Schema of the configuration file, for editors and external checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from llmstream.config.file import table as keys
from llmstream.config.file.table import Key
from llmstream.prompt import PARAMETERS, Json, Parameter


def config_schema() -> dict[str, Json]:
    """Return the schema of the configuration file, JSON Schema draft 2020-12.

    It is made from the same tables as the check; adapters, presets and quirks are those known to this
    process.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "llmstream configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **_properties(keys.TOP),
            "aliases": _by_name({"type": "string", "minLength": 1}, keys.TOP_TABLES["aliases"]),
            "providers": _by_name(_provider(), keys.TOP_TABLES["providers"]),
        },
    }


def _provider() -> dict[str, Json]:
    plain = _properties(keys.PROVIDER)
    for name, values in _closed_sets().items():
        _put_values(cast("dict[str, Json]", plain[name]), values)
    inside: dict[str, Json] = {
        "headers": _by_name({"type": "string"}, keys.TABLES["headers"]),
        "options": {"type": "object", "properties": _options(), "description": keys.TABLES["options"]},
        "extra_body": {"type": "object", "description": keys.TABLES["extra_body"]},
    }
    for name, known in keys.INSIDE.items():
        inside[name] = {
            "type": "object",
            "additionalProperties": False,
            "properties": _properties(known),
            "description": keys.TABLES[name],
        }
    return {"type": "object", "additionalProperties": False, "properties": {**plain, **inside}}


def _properties(table: Mapping[str, Key]) -> dict[str, Json]:
    return {name: {**key.schema, "description": key.meaning} for name, key in table.items()}


def _by_name(schema: dict[str, Json], meaning: str) -> dict[str, Json]:
    return {"type": "object", "additionalProperties": schema, "description": meaning}


def _closed_sets() -> dict[str, list[str]]:
    from llmstream.adapters import catalogue, registry
    from llmstream.adapters.quirks import Quirk

    return {
        "preset": catalogue.names(),
        "dialect": list(registry.EMBEDDED),
        "quirks": [one.value for one in Quirk],
        # not an enum: a plugin may add an adapter
        "adapter": list(registry.names()),
    }


def _put_values(schema: dict[str, Json], values: list[str]) -> None:
    listed = cast("list[Json]", values)
    if schema["type"] == "array":
        schema["items"] = {"enum": listed}
    elif "local" in values and "exec" in values:
        schema["examples"] = listed
    else:
        schema["enum"] = listed


def _options() -> dict[str, Json]:
    return {name: {**_values(one), "description": one.meaning} for name, one in PARAMETERS.items()}


def _values(parameter: Parameter) -> dict[str, Json]:
    text: dict[str, Json] = {"type": "string", "minLength": 1}
    limits: dict[str, Json] = {"minimum": parameter.least, "maximum": parameter.greatest}
    if parameter.kind == "number":
        return {"type": "number", **limits}
    if parameter.kind == "whole":
        return {"type": "integer", **limits}
    if parameter.kind == "texts":
        return {"oneOf": [text, {"type": "array", "items": text, "minItems": 1}]}
    return text
