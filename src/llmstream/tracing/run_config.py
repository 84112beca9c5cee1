"""Check the `config` argument of the library's methods, which has LangChain's keys.

Source: langchain-core 1.8, `RunnableConfig`. LangChain silently accepts unknown keys; here they are an
error, because a mistyped ``max_concurency`` would otherwise go unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypedDict

from llmstream.errors import UsageError
from llmstream.prompt import Json

if TYPE_CHECKING:
    from uuid import UUID


class RunConfig(TypedDict, total=False):
    """The identity and limits of one run; all keys are optional.

    `tags`, `metadata`, `run_name` and `run_id` appear in every event of the run; `run_id` is a new UUIDv7
    by default. `max_concurrency` limits how many inputs of a batch run at once.
    """

    tags: Sequence[str]
    metadata: Mapping[str, Json]
    run_name: str
    run_id: UUID | str
    max_concurrency: int | None


KEYS: Final = frozenset(RunConfig.__annotations__)
UNUSED: Final = frozenset({"callbacks", "recursion_limit", "configurable"})
"""LangChain's keys that have no effect here; accepted if empty, `recursion_limit` with any value."""


def checked(config: RunConfig | None) -> RunConfig:
    """Return the config, or an empty one for None.

    Raises:
        UsageError: it has an unknown key, or one of `UNUSED` that isn't accepted.
    """
    for key, value in (config or {}).items():
        if key not in KEYS and not (key in UNUSED and (not value or key == "recursion_limit")):
            raise UsageError(
                f"unknown key {key!r} in a run's config", hint=f"known keys: {', '.join(sorted(KEYS))}"
            )
    return config or {}


def configs_of(config: RunConfig | Sequence[RunConfig] | None, count: int) -> list[RunConfig]:
    """Return a config for each of `count` inputs; only the first gets the `run_id` of a shared config.

    Raises:
        UsageError: `config` is a list of another length, or `checked` rejects one.
    """
    if isinstance(config, Sequence):
        if len(config) != count:
            raise UsageError(f"{len(config)} configs for {count} inputs: pass one config, or one for each")
        return [checked(one) for one in config]
    shared = checked(config)
    if count > 1 and "run_id" in shared:
        # two runs must not share an id; LangChain, too, uses it for the first only
        rest: RunConfig = {**shared}
        del rest["run_id"]
        return [shared, *[rest] * (count - 1)]
    return [shared] * count


def concurrency_of(configs: Sequence[RunConfig]) -> int | None:
    """Return how many inputs of a batch may run at once, by the first config; None for the default.

    Raises:
        UsageError: it is less than 1.
    """
    limit = configs[0].get("max_concurrency") if configs else None
    if limit is not None and limit < 1:
        raise UsageError(f"max_concurrency must be at least 1, not {limit}")
    return limit
