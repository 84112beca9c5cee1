"""Select a run's events by LangChain's six filters, in the same way as LangChain.

Without an `include_...`, all events are included, otherwise those that match any of them. Events that
match an `exclude_...` are left out.

Source: langchain-core 1.8, `_RootEventFilter`; an event's type is the middle of its name, ``llm`` for
our own runs; a custom event's type is its name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from llmstream.errors import UsageError
from llmstream.nearest import slips, typo_of
from llmstream.prompt import Json

FILTERS: Final = (
    "include_names", "include_types", "include_tags", "exclude_names", "exclude_types", "exclude_tags",
)  # fmt: skip
CONFIG: Final = (
    "tags", "metadata", "run_name", "run_id", "max_concurrency",
    "callbacks", "recursion_limit", "configurable",
)  # fmt: skip
"""Keys of a run's config, which are not options of a model."""
SLIPS: Final = 2
"""Maximum number of slips in a misspelt filter's name; providers' options differ by more."""
Kept = Callable[[Mapping[str, Json]], bool]


def filtered(options: dict[str, object]) -> tuple[Kept, dict[str, object]]:
    """Return a predicate for the events to yield, and the options without the filters.

    Args:
        options: the other keyword arguments of `astream_events`.

    Raises:
        UsageError: a filter is a string or not a collection, or a keyword is a key of the config or a
            misspelt filter, which would be sent in the request.
    """
    given = {name: options[name] for name in FILTERS if options.get(name) is not None}
    rest = {name: value for name, value in options.items() if name not in FILTERS}
    for name in rest:
        _check(name)
    wanted = {name: _names(name, value) for name, value in given.items()}
    return (lambda event: _is_kept(event, wanted)), rest


def type_of(event: Mapping[str, Json]) -> str:
    """Return the type of an event for LangChain's filters."""
    name = str(event["event"])
    if name == "on_custom_event":
        return str(event["name"])
    return name.removeprefix("on_").rpartition("_")[0]


def _is_kept(event: Mapping[str, Json], wanted: Mapping[str, Collection[str]]) -> bool:
    tags = event["tags"]
    traits: dict[str, list[Json]] = {
        "names": [event["name"]], "types": [type_of(event)], "tags": tags if isinstance(tags, list) else [],
    }  # fmt: skip

    def matches(kind: str) -> list[bool]:
        return [
            any(one in wanted[f"{kind}_{trait}"] for one in having)
            for trait, having in traits.items()
            if f"{kind}_{trait}" in wanted
        ]

    included = matches("include")
    return (not included or any(included)) and not any(matches("exclude"))


def _names(name: str, value: object) -> Collection[str]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise UsageError(f"{name} must be a list of names, not {value!r}", hint=f'for example {name}=["llm"]')
    return frozenset(str(one) for one in value)


def _check(name: str) -> None:
    near = typo_of(name, (*CONFIG, *FILTERS))
    if near is None or slips(name, near) > SLIPS:
        return
    if near in CONFIG:
        raise UsageError(
            f'"{name}" is not an option of the model: "{near}" belongs in the config',
            hint=f'pass it as the second argument: {{"{near}": ...}}',
        )
    raise UsageError(f'"{name}" is neither a filter nor an option; did you mean "{near}"?')
