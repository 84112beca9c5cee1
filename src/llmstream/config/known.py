"""Models by a part of their name: of those that this machine has heard of."""

from __future__ import annotations

import json

from llmstream.adapters import catalogue
from llmstream.config import paths
from llmstream.config.settings import Settings
from llmstream.errors import ConfigError


def known_models(settings: Settings) -> list[str]:
    """Return PROVIDER/MODEL of all models that the file, the catalogue and the cached lists name."""
    found: dict[str, None] = {}
    for name, table in settings.file.document.get("providers", {}).items():
        if isinstance(table, dict) and isinstance(table.get("model"), str):
            found[f"{name}/{table['model']}"] = None
    for row in catalogue.rows():
        if row.model:
            found[f"{row.name}/{row.model}"] = None
    folder = paths.cache_folder() / "models"
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            models = json.loads(path.read_text("utf-8"))["models"]
            found |= {f"{path.stem}/{model}": None for model in models if isinstance(model, str)}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return list(found)


def spec_of(settings: Settings, spec: str) -> str:
    """Return a model's full name for a name that no provider or alias has.

    Raises:
        ConfigError: several models have that part in their names.
    """
    if settings.split(spec)[0] in settings.names():
        return spec
    part = spec.lower()
    matches = [one for one in known_models(settings) if part in one.partition("/")[2].lower()]
    # models that are ready to be asked go before those whose key is missing
    ready = [one for one in matches if settings.key_state(one.partition("/")[0]).found]
    chosen = ready or matches
    if len(chosen) > 1:
        names = ", ".join(chosen[:8]) + (", ..." if len(chosen) > 8 else "")
        raise ConfigError(
            f"{spec!r} is part of {len(chosen)} models' names: {names}", hint="name one of them"
        )
    return chosen[0] if chosen else spec
