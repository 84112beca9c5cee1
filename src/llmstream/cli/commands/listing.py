"""`llmstream providers` and `llmstream models`."""

from __future__ import annotations

import json as json_

from llmstream.cli.command import columns, texts
from llmstream.cli.environment import Environment


@texts
def providers(environment: Environment, *, json: bool = False) -> str:
    """List the providers, and whether their keys are there."""
    from llmstream.config.lists.overview import providers as overview
    from llmstream.config.settings import Settings

    rows = overview(Settings.load(environment.config, environment.variables))
    if json:
        return "".join(json_.dumps(row._asdict(), ensure_ascii=False) + "\n" for row in rows)
    head = ["PROVIDER", "ADAPTER", "STREAMS", "REASONING", "TOOLS", "IMAGES", "USAGE", "KEY", "BASE URL"]
    return columns([head, *([*map(_cell, row)] for row in rows)])


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "-"
    return str(value) or "-"


@texts
def models(
    environment: Environment,
    provider: str | None = None,
    *,
    json: bool = False,
    query: str = "",
    refresh: bool = False,
) -> str:
    """List the models of a provider."""
    from llmstream.config.lists.models import models_of
    from llmstream.config.settings import Settings

    settings = Settings.load(environment.config, environment.variables)
    name = settings.split(settings.choice(provider).spec)[0]
    found = [one for one in models_of(settings, name, refresh=refresh) if query.lower() in one.lower()]
    if json:
        return "".join(
            json_.dumps({"provider": name, "model": one}, ensure_ascii=False) + "\n" for one in found
        )
    return "".join(f"{name}/{one}\n" for one in found)
