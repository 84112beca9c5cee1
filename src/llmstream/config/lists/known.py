"""Find a model by part of its name, among those that this machine knows."""

from __future__ import annotations

import json
import re
from typing import Final

from llmstream.adapters import catalogue
from llmstream.config import paths
from llmstream.config.settings import Settings
from llmstream.errors import ConfigError
from llmstream.local.models import installed
from llmstream.nearest import quoted, typo_of

SHORTEST: Final = 3
"""Minimum length of a part of a model's name, in characters."""


def known_models(settings: Settings) -> list[str]:
    """Return PROVIDER/MODEL of all models in the file, catalogue, models folder and cached lists."""
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
        if path.stem not in names:  # a provider that was removed from the file
            continue
        try:
            models = json.loads(path.read_text("utf-8"))["models"]
            found |= {f"{path.stem}/{model}": None for model in models if isinstance(model, str)}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return list(found)


def spec_of(settings: Settings, spec: str) -> str:
    """Return PROVIDER/MODEL for a name that is not a provider or alias; `spec` itself if nothing matches.

    A part must have at least three characters, match at the start of a word in the model's name, and match
    one model only, so that no prompt goes to the wrong service.  An exact match wins over a partial one and
    models whose key is set over the others; if one service has several dialects, the first is used.

    Raises:
        ConfigError: several models match, the name is a likely typo of an alias or a provider, or an alias
            refers to itself.
    """
    if settings.split(spec)[0] in settings.names():
        return spec
    part = spec.lower()
    known = known_models(settings)
    whole = [one for one in known if one.partition("/")[2].lower() == part]
    if not whole:
        _refuse_near_miss(settings, spec)
    matches = whole or [one for one in known if _begins_a_word(part, one.partition("/")[2].lower())]
    ready = [one for one in matches if settings.key_state(one.partition("/")[0]).found]
    chosen = ready or matches
    if len({_service(settings, one) for one in chosen}) > 1:
        names = ", ".join(chosen[:8]) + (", ..." if len(chosen) > 8 else "")
        raise ConfigError(f"{quoted(spec)} matches {len(chosen)} models; choose one", hint=names)
    return chosen[0] if chosen else spec


def _refuse_near_miss(settings: Settings, spec: str) -> None:
    close = typo_of(spec, [*settings.aliases, *settings.file.providers, *catalogue.names()])
    if close is not None and "/" not in spec:
        raise ConfigError(f'unknown model {quoted(spec)}; did you mean "{close}"?')


def _begins_a_word(part: str, name: str) -> bool:
    """Return whether a part is long enough and matches at the start of a word in a model's name."""
    if len(part) < SHORTEST or not part[0].isalnum():
        return False
    return re.search(rf"(?<![a-z0-9]){re.escape(part)}", name) is not None


def _service(settings: Settings, spec: str) -> tuple[str, str]:
    """Return base URL and model of a full name: these are equal for two dialects of one service."""
    name, _, model = spec.partition("/")
    provider = settings.provider(name)
    return provider.text("base_url") or (provider.adapter if provider.adapter == "local" else name), model
