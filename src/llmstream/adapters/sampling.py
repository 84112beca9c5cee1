"""Select the options for a request, and make notices about the others, for all dialects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from llmstream.prompt import Json, Options


def fields(options: Options, names: Mapping[str, str]) -> dict[str, Json]:
    """Return the options that are set and supported, under their names in the API.

    Args:
        options: the requested options.
        names: our name of an option -> its name in the API.
    """
    return {names[name]: value for name, value in options.given().items() if name in names}


def left_out(api: str, options: Options, taken: Collection[str], *, instead: str = "") -> Iterator[str]:
    """Yield a notice for each option that is set but not supported by a dialect.

    Args:
        api: the dialect's name.
        options: the requested options.
        taken: options that the dialect sends or has its own notices for.
        instead: what to do instead, shown in brackets; empty for nothing.
    """
    remedy = f" ({instead})" if instead else ""
    for name in options.given():
        if name not in taken:
            yield f"{api} doesn't support the option {name!r}: left out{remedy}"
