"""Selects the options for a request, and the notices about the others, for all dialects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from llmstream.prompt import Json, Options


def fields(options: Options, names: Mapping[str, str]) -> dict[str, Json]:
    """Return the options that are set and have a name in an API, under that name.

    Args:
        options: the requested ones.
        names: the name of an option -> its name in the API.
    """
    return {names[name]: value for name, value in options.given().items() if name in names}


def left_out(api: str, options: Options, taken: Collection[str], *, instead: str = "") -> Iterator[str]:
    """Yield a notice for each option that is set but that a dialect does not have.

    Args:
        api: the dialect's name.
        options: the requested ones.
        taken: the options that it sends, or speaks of by itself.
        instead: what to do, in brackets; empty for nothing.
    """
    remedy = f" ({instead})" if instead else ""
    for name in options.given():
        if name not in taken:
            yield f"{api} doesn't support the option {name!r}: left out{remedy}"
