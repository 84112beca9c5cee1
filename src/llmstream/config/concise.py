"""The short form of a JSON Schema: ``name, age int, tags [str]: what it is``.

Fields are separated by commas, or by line breaks when the text has more than one line.  A field is a
name, a type (text when omitted) and, after a colon, a description for the model.
"""

from __future__ import annotations

import re
from typing import Final

from llmstream.errors import UsageError
from llmstream.nearest import did_you_mean, quoted
from llmstream.prompt import Json

TYPES: Final[dict[str, str]] = {
    "str": "string", "string": "string", "text": "string",
    "int": "integer", "integer": "integer",
    "float": "number", "number": "number",
    "bool": "boolean", "boolean": "boolean",
}  # fmt: skip
"""Type words of the short form and their JSON Schema types; ``[word]`` is a list of that type."""

FIELD: Final = re.compile(r"([^\W\d][\w-]*)(?:\s+(\[\s*\w*\s*\]|\w+))?")
HINT: Final = 'for example --schema "name, age int, tags [str]: what it is"'


def concise_schema(text: str) -> dict[str, Json]:
    """Convert the short form into the JSON Schema of an object in which every field is required.

    Args:
        text: fields separated by commas, or by line breaks when the text has more than one line.

    Raises:
        UsageError: a field is empty or malformed, is given twice, or has an unknown type.
    """
    text = text.strip()
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    fields: dict[str, Json] = {}
    for part in lines if len(lines) > 1 else text.split(","):
        name, schema = _field(part.strip())
        if name in fields:
            raise UsageError(f"--schema has two fields named {quoted(name)}")
        fields[name] = schema
    required: list[Json] = [*fields]
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}


def _field(text: str) -> tuple[str, Json]:
    head, _, meaning = text.partition(":")
    found = FIELD.fullmatch(head.strip())
    if found is None:
        what = f"{quoted(text)} is not a field" if text else "a field is empty"
        raise UsageError(f"--schema: {what}: write NAME, NAME TYPE or NAME TYPE: DESCRIPTION", hint=HINT)
    name, kind = found[1], found[2] or "str"
    schema: dict[str, Json]
    if kind.startswith("["):
        schema = {"type": "array", "items": {"type": _type(kind[1:-1].strip() or "str", name)}}
    else:
        schema = {"type": _type(kind, name)}
    if meaning.strip():
        schema["description"] = meaning.strip()
    return name, schema


def _type(word: str, field: str) -> str:
    kind = TYPES.get(word.lower())
    if kind is None:
        raise UsageError(
            f"--schema: unknown type {quoted(word)} for the field {field}{did_you_mean(word, TYPES)}",
            hint="types: str, int, float, bool, and [str] for a list",
        )
    return kind
