"""Read the value of `--schema`: a JSON Schema, a file with one, or the short form."""

from __future__ import annotations

from pathlib import Path

from llmstream.errors import UsageError
from llmstream.runnable.files import FILE_LIMIT, attachments, read, with_files

__all__ = ["attachments", "schema_of", "with_files"]


def schema_of(text: str) -> dict[str, object]:
    """Return the JSON Schema given by `--schema`.

    Args:
        text: JSON if it starts with ``{``; a file if one of that name exists, or if it ends in
            ``.json`` or contains a ``/``; else the short form.

    Raises:
        UsageError: it is not a valid schema, or the file can't be read.
    """
    import json

    if not text.strip():
        raise UsageError("the schema is empty", hint="for example --schema 'name, age int'")
    source = "--schema"
    if not text.lstrip().startswith("{"):
        if not (text.endswith(".json") or "/" in text or _exists(text)):
            from llmstream.config.concise import concise_schema

            return dict(concise_schema(text))
        source, text = text, read(text, FILE_LIMIT).decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{source} is not a JSON Schema: it must be an object")
    return found


def _exists(text: str) -> bool:
    try:
        return Path(text).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False
