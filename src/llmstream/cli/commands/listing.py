"""`llmstream providers` and `llmstream models`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from llmstream.cli.command import columns, command
from llmstream.cli.environment import Environment

JsonOption = Annotated[bool, typer.Option("--json", help="JSON Lines, one object a row")]


@command
def providers(environment: Environment, as_json: JsonOption = False) -> str:
    """List the providers, and whether their keys are there."""
    from llmstream.config.lists.overview import providers as overview
    from llmstream.config.settings import Settings

    rows = overview(Settings.load(environment.config, environment.variables))
    if as_json:
        return "".join(json.dumps(row._asdict(), ensure_ascii=False) + "\n" for row in rows)
    head = ["PROVIDER", "ADAPTER", "STREAMS", "REASONING", "TOOLS", "IMAGES", "USAGE", "KEY", "BASE URL"]
    return columns([head, *([*map(_cell, row)] for row in rows)])


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "-"
    return str(value) or "-"


@command
def models(
    environment: Environment,
    provider: Annotated[str | None, typer.Argument(help="PROVIDER; without one, the default model's")] = None,
    as_json: JsonOption = False,
    query: Annotated[
        str, typer.Option("--query", "-q", help="Only names that contain TEXT", metavar="TEXT")
    ] = "",
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask again, not the cache of a day")] = False,
) -> str:
    """List the models of a provider."""
    from llmstream.config.lists.models import models_of
    from llmstream.config.settings import Settings

    settings = Settings.load(environment.config, environment.variables)
    name = settings.split(settings.choice(provider).spec)[0]
    found = [one for one in models_of(settings, name, refresh=refresh) if query.lower() in one.lower()]
    if as_json:
        return "".join(
            json.dumps({"provider": name, "model": one}, ensure_ascii=False) + "\n" for one in found
        )
    return "".join(f"{name}/{one}\n" for one in found)
