"""`llmstream providers` and `llmstream models`."""

from __future__ import annotations

import json as json_
from typing import TYPE_CHECKING

from llmstream.cli.command import texts
from llmstream.cli.environment import Environment
from llmstream.render.columns import columns

if TYPE_CHECKING:
    from llmstream.config.lists.details import Details
    from llmstream.config.lists.overview import Line
    from llmstream.config.settings import Settings


@texts
def providers(environment: Environment, *, json: bool = False, all: bool = False) -> str:
    """List the providers, ready ones first, and whether their keys are set."""
    from llmstream.config.lists.overview import providers as overview

    rows = overview(_settings(environment))
    if json:
        return "".join(json_.dumps(row.to_dict(), ensure_ascii=False) + "\n" for row in rows)
    rows = sorted(rows, key=lambda row: not row.ready)
    if all:
        head = ["PROVIDER", "KEY", "DEFAULT MODEL", "ADAPTER", "FEATURES", "BASE URL"]
        cells = [[*_first_cells(row), row.adapter, row.can, row.base_url or "-"] for row in rows]
    else:
        head, cells = ["PROVIDER", "KEY", "DEFAULT MODEL"], [[*_first_cells(row)] for row in rows]
    return columns([head, *cells], environment.width_of(environment.out))


def _first_cells(row: Line) -> tuple[str, str, str]:
    missing = row.key.startswith("missing")
    key = row.key.removeprefix("missing").strip(" ()")
    return row.provider, (f"no {key}" if key else "no key") if missing else row.key or "-", row.model or "-"


@texts
def models(
    environment: Environment,
    provider: str | None = None,
    *,
    json: bool = False,
    query: str = "",
    refresh: bool = False,
    verbose: bool = False,
) -> str:
    """List the models of a provider, or of all ready providers."""
    from llmstream.config.lists.models import of_all, of_one

    settings = _settings(environment)
    if provider is None:
        found, failures = of_all(settings, refresh=refresh)
        for failure in failures:
            environment.say(f"warning: {failure}")
    else:
        name = settings.split(provider)[0]
        found = {name: of_one(settings, name, refresh=refresh)}
    chosen = [
        (name, model, details)
        for name, listed in found.items()
        for model, details in listed.items()
        if query.lower() in model.lower()
    ]
    if not any(found.values()):
        environment.say(_no_models(settings, None if provider is None else name))
    elif not chosen:
        environment.say(f'no model\'s name contains "{query}"')
    if json:
        return "".join(_object(*one, verbose=verbose) for one in chosen)
    if verbose:
        head = ["MODEL", "CONTEXT", "INPUTS", "OPTIONS"]
        rows = [[f"{name}/{model}", *details.cells()] for name, model, details in chosen]
        return columns([head, *rows], environment.width_of(environment.out))
    return "".join(f"{name}/{model}\n" for name, model, _ in chosen)


def _no_models(settings: Settings, name: str | None) -> str:
    """Return what to do when there are no models of a provider, or of any."""
    if name is None or settings.provider(name).adapter == "local":
        return "no models yet: set an API key (see `llmstream providers`) or run `llmstream pull smollm2`"
    return f"{name} lists no models; to use one all the same: llmstream -m {name}/MODEL"


def _object(name: str, model: str, details: Details, *, verbose: bool) -> str:
    more = details.to_dict() if verbose else {}
    return json_.dumps({"provider": name, "model": model, **more}, ensure_ascii=False) + "\n"


def _settings(environment: Environment) -> Settings:
    from llmstream.config.settings import Settings

    return Settings.load(environment.config, environment.variables)
