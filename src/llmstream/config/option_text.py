"""`-o KEY=VALUE`: one model option from the command line."""

from __future__ import annotations

from typing import cast

from llmstream.errors import UsageError
from llmstream.nearest import quoted
from llmstream.prompt import Json
from llmstream.runnable.options import misspelt, option_complaint, options_from

__all__ = ["misspelt", "option_complaint", "options_from", "parse_option"]


def parse_option(text: str) -> tuple[str, Json]:
    """Return name and value of ``KEY=VALUE``; the value is parsed as TOML, otherwise taken as text.

    Lists and tables may also be JSON, whose objects are not valid TOML.

    Raises:
        UsageError: the ``=`` is missing, the name is empty or misspelt, or the value is not valid for it.
    """
    name, sign, value = text.partition("=")
    name = name.strip()
    if not sign or not name:
        raise UsageError(f"{quoted(text)} is not KEY=VALUE", hint="for example -o temperature=0")
    meant = misspelt(name)
    if meant is not None:
        raise UsageError(
            f'unknown option "{name}"; did you mean "{meant}"?',
            hint=f"to send it unchanged, set extra_body = {{ {name} = ... }} in the configuration",
        )
    parsed = _toml(value.strip())
    # in "stop=1" and "reasoning_effort=1" the value is text
    if name in ("stop", "reasoning_effort") and isinstance(parsed, bool | int | float):
        parsed = value.strip()
    flaw = option_complaint(name, parsed)
    if flaw is not None:
        raise UsageError(f"option {name} {flaw}")
    return name, parsed


def _json(value: str) -> Json:
    from json import loads

    if not value.startswith(("[", "{")):
        return value
    try:
        return cast("Json", loads(value))
    except (ValueError, RecursionError):
        return value


def _toml(value: str) -> Json:
    import tomllib

    if not value or "\n" in value:
        return _json(value)
    try:
        read = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return _json(value)
    from llmstream.config.file.kinds import json

    plain = list(read) == ["value"] and json(read["value"]) is None
    return cast("Json", read["value"]) if plain else value
