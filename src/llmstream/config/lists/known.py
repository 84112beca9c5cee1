"""Models by a part of their name: of those that this machine has heard of."""

from __future__ import annotations

import json

from llmstream.adapters import catalogue
from llmstream.config import paths
from llmstream.config.settings import Settings
from llmstream.errors import ConfigError
from llmstream.local.models import installed


def known_models(settings: Settings) -> list[str]:
    """Return PROVIDER/MODEL of all models that the file, the catalogue and the cached lists name."""
    found: dict[str, None] = {}
    for name, table in settings.file.providers.items():
        if isinstance(table.get("model"), str):
            found[f"{name}/{table['model']}"] = None
    for row in catalogue.rows():
        if row.model:
            found[f"{row.name}/{row.model}"] = None
    found |= {f"local/{model.name}": None for model in installed(paths.models_folder())}
    folder = paths.cache_folder() / "models"
    names = settings.names()
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        if path.stem not in names:  # a provider that has gone from the file
            continue
        try:
            models = json.loads(path.read_text("utf-8"))["models"]
            found |= {f"{path.stem}/{model}": None for model in models if isinstance(model, str)}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return list(found)


def spec_of(settings: Settings, spec: str) -> str:
    """Return a model's full name for a name that no provider or alias has.

    A model whose whole name it is goes before those with that part in their names, one that is
    ready to be asked before one whose key is missing, and of one service's dialects the first.

    Raises:
        ConfigError: several models have that part in their names.
    """
    if settings.split(spec)[0] in settings.names():
        return spec
    part = spec.lower()
    matches = [one for one in known_models(settings) if part in one.partition("/")[2].lower()]
    whole = [one for one in matches if one.partition("/")[2].lower() == part]
    ready = [one for one in whole or matches if _ready(settings, one)]
    chosen = ready or whole or matches
    if len({_service(settings, one) for one in chosen}) > 1:
        names = ", ".join(chosen[:8]) + (", ..." if len(chosen) > 8 else "")
        raise ConfigError(
            f"{spec!r} is part of {len(chosen)} models' names: {names}", hint="name one of them"
        )
    return chosen[0] if chosen else spec


def _ready(settings: Settings, spec: str) -> bool:
    state = settings.key_state(spec.partition("/")[0])
    return state.found or not state.wanted


def _service(settings: Settings, spec: str) -> tuple[str, str]:
    """Return the address and the model of a full name: two dialects of one service share them."""
    name, _, model = spec.partition("/")
    provider = settings.provider(name)
    return provider.text("base_url") or (provider.adapter if provider.adapter == "local" else name), model
