"""Model options by name: the library's keyword arguments, the file's table, the command's flags.

Options that providers share are typed and checked here; all others are added to the request body
unchanged, because providers have too many to list. A name close to a typed one is treated as a
misspelling, because the provider might silently ignore it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from llmstream.errors import UsageError
from llmstream.nearest import typo_of
from llmstream.prompt import PARAMETERS, Options

TYPED: Final = tuple(PARAMETERS)
"""The names of the sampling parameters."""

STRUCTURED: Final = ("tools", "tool_choice", "schema")
"""Options of the library that are not sampling parameters."""

ELSEWHERE: Final = frozenset(
    {
        "top_a",
        "min_p",
        "min_tokens",
        "max_new_tokens",
        "max_output_tokens",
        "max_completion_tokens",
        "repeat_penalty",
        "repetition_penalty",
        "random_seed",
        "reasoning_budget",
        "reasoning_format",
    }
)
"""Names close to typed ones that are real options of some provider or server; they are accepted."""


def option_complaint(name: str, value: object) -> str | None:
    """Return what is wrong with an option's value, None if it is valid; unknown names are accepted."""
    if name in STRUCTURED:
        return _structured_complaint(name, value)
    parameter = PARAMETERS.get(name)
    if parameter is None:
        return None
    limits = (parameter.least, parameter.greatest)
    if parameter.kind == "number":
        return _out_of(value, int | float, "a number", limits)
    if parameter.kind == "whole":
        return _out_of(value, int, "a whole number", limits)
    if parameter.kind == "texts":
        sequences = value if isinstance(value, list | tuple) else [value]
        good = all(isinstance(s, str) and s for s in sequences)
        return None if good and sequences else "must be text that isn't empty, or a list of such"
    return None if isinstance(value, str) and value else f"must be text: {parameter.meaning}"


def _structured_complaint(name: str, value: object) -> str | None:
    if name == "tool_choice":
        return (
            None
            if isinstance(value, str) and value
            else "must be text: auto, none, required, or a tool's name"
        )
    if name == "schema":
        return None if isinstance(value, Mapping) else "must be a table: a JSON Schema"
    good = isinstance(value, list | tuple) and all(isinstance(tool, Mapping) for tool in value)
    return None if good else "must be a list of tables, one a tool"


def _out_of(value: object, kind: object, called: str, limits: tuple[float, float]) -> str | None:
    if isinstance(value, bool) or not isinstance(value, kind):  # type: ignore[arg-type]  # a union of types
        return f"must be {called}"
    least, greatest = limits
    if cast(float, value) > greatest >= 2**53:
        return "is too large"
    if not least <= cast(float, value) <= greatest:
        return f"must be from {least} to {greatest}" if greatest < 2**53 else f"must be {least} or more"
    return None


def json_complaint(value: object) -> str | None:
    """Return why a value can't be part of a JSON body, None if it can."""
    if value is None or isinstance(value, bool | int | str):
        return None
    if isinstance(value, float):
        return None if value - value == 0 else f"is {value}, which JSON doesn't have"
    if isinstance(value, list | tuple):
        return next((flaw for item in value if (flaw := json_complaint(item))), None)
    if isinstance(value, Mapping):
        if any(not isinstance(key, str) for key in value):
            return "has a key that is not text"
        return next((flaw for item in value.values() if (flaw := json_complaint(item))), None)
    return f"has the type {type(value).__name__}, which JSON doesn't have"


def misspelt(name: str) -> str | None:
    """Return the typed option of which `name` is a misspelling, None if there is none."""
    if name in TYPED or name in ELSEWHERE:
        return None
    return typo_of(name, TYPED)


def options_from(values: Mapping[str, object]) -> Options:
    """Return options as `Options`: typed ones in their fields, all others in `extra`.

    A typed option of None counts as not given: LangChain's callers pass ``stop=None``.

    Raises:
        UsageError: the value of a typed option is invalid, or a name is misspelt.
    """
    typed: dict[str, object] = {}
    extra: dict[str, object] = {}
    for name, value in values.items():
        if value is None and name in (*TYPED, *STRUCTURED):
            continue
        meant = misspelt(name)
        if meant is not None:
            raise UsageError(
                f'unknown option "{name}"; did you mean "{meant}"?',
                hint=f"to send it unchanged, set extra_body = {{ {name} = ... }}",
            )
        flaw = option_complaint(name, value)
        if flaw is not None:
            raise UsageError(f"option {name} {flaw}")
        if name in PARAMETERS and PARAMETERS[name].kind == "texts":
            typed[name] = (
                tuple(cast("list[str]", value)) if isinstance(value, list | tuple) else (cast(str, value),)
            )
        elif name in TYPED or name in STRUCTURED:
            typed[name] = value
        else:
            flaw = json_complaint(value)
            if flaw is not None:
                raise UsageError(f"option {name} {flaw}")
            extra[name] = value
    return Options(**typed, extra=extra)  # type: ignore[arg-type]  # checked above, by name
