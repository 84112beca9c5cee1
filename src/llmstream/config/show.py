"""The settings in effect and their origins: the data of `llmstream config show --origin`.

Each line is TOML that is valid in the file.  API keys and values that may be one are masked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, cast

from llmstream.config.file import table as keys
from llmstream.config.file.positions import positions
from llmstream.config.settings import Overrides
from llmstream.config.toml_text import toml_key, toml_value
from llmstream.engine.policy import Policy
from llmstream.prompt import tells_a_secret
from llmstream.record import Record

if TYPE_CHECKING:
    from llmstream.config.file.positions import Places
    from llmstream.config.layers import Layer, Provider
    from llmstream.config.settings import Settings

MASK: Final = "***"


class Shown(Record):
    """One setting in effect.

    Args:
        key: dotted TOML key: ``providers.work.timeout.connect``.
        value: TOML, masked if it is secret.
        origin: ``--model``, ``flag``, ``$VARIABLE``, ``FILE:LINE``, ``catalogue`` or ``default``.
    """

    key: str
    value: str
    origin: str


def show(settings: Settings, model: str | None = None, overrides: Overrides | None = None) -> list[Shown]:
    """Return all settings in effect, each with its origin.

    Args:
        settings: file, environment and catalogue.
        model: the value of ``--model``, to show only its provider; None for the file's providers and the
            default model's.
        overrides: settings from other flags, shown for the chosen provider.

    Raises:
        ConfigError: the chosen provider is unknown, or an alias refers to itself.
    """
    places = positions(settings.file.text)
    choice = settings.choice(model)
    chosen = settings.split(choice.spec)[0]
    shown = [Shown("default", toml_value(choice.spec), _place(choice.origin, settings, places, ("default",)))]
    shown += [
        Shown(key, toml_value(value), _place(str(settings.file.path), settings, places, (key,)))
        for key in keys.TOP
        if key != "default" and (value := settings.file.document.get(key)) is not None
    ]
    for name, spec in settings.aliases.items():
        origin = _place(str(settings.file.path), settings, places, ("aliases", name))
        shown.append(Shown(f"aliases.{toml_key(name)}", toml_value(spec), origin))
    for name in [chosen] if model is not None else dict.fromkeys([*settings.file.providers, chosen]):
        flags = (overrides or Overrides()) if name == chosen else Overrides()
        shown += _provider(settings.provider(name), flags, settings, places)
    return shown


def _provider(provider: Provider, flags: Overrides, settings: Settings, places: Places) -> Iterator[Shown]:
    for path, value, layer in _values(provider, flags):
        whole = ("providers", provider.name, *path)
        origin = layer.origin
        if origin == str(settings.file.path):
            origin = _place(origin, settings, places, whole)
        yield Shown(".".join(map(toml_key, whole)), toml_value(masked(path, value)), origin)


def _values(provider: Provider, flags: Overrides) -> Iterator[tuple[tuple[str, ...], object, Layer]]:
    piled = (_of_flags(flags), *provider.layers, _defaults(provider))
    key_settings = provider.key_settings
    for key in (*keys.PROVIDER, *keys.TABLES):
        if key in keys.KEY_SETTINGS and key not in key_settings:
            continue
        told: set[str] = set()
        for layer in piled:
            if key not in layer.table:
                continue
            value = layer.table[key]
            if key not in keys.TABLES:
                yield (key,), value, layer
                break
            fresh = {k: v for k, v in cast("Mapping[str, object]", value).items() if k not in told}
            told.update(fresh)
            yield from (((key, k), v, layer) for k, v in fresh.items())


def _of_flags(flags: Overrides) -> Layer:
    from llmstream.config.layers import Layer

    options = {**flags.options.given(), **flags.options.extra} if flags.options else {}
    retries = {} if flags.max_retries is None else {"max_retries": flags.max_retries}
    return Layer("flag", {"options": options, "timeout": flags.limits, **retries})


def _defaults(provider: Provider) -> Layer:
    from llmstream.config.layers import Layer

    policy = Policy()
    limits = {name: getattr(policy, name) for name in keys.TIMEOUT}
    return Layer("default", {"timeout": limits, "max_retries": policy.max_retries})


def _place(origin: str, settings: Settings, places: Places, path: tuple[str, ...]) -> str:
    file = settings.file.path
    if file is None or origin != str(file):
        return origin
    return f"{file}:{places[path][0]}" if path in places else origin


def masked(path: tuple[str, ...], value: object) -> object:
    """Return a value to show, with anything that may be a secret masked.

    Args:
        path: keys below the provider: ``("api_key",)``, ``("headers", "Authorization")``.
        value: as configured.
    """
    if path == ("api_key",):
        return MASK
    if path == ("proxy",) and "@" in str(value):
        scheme, _, rest = str(value).partition("://")
        return f"{scheme}://{MASK}@{rest.rpartition('@')[2]}"
    if path[0] in ("headers", "extra_body", "options"):
        return _masked_field(path[-1], value)
    return value


def _masked_field(name: str, value: object) -> object:
    if isinstance(value, dict):
        return {k: _masked_field(k, v) for k, v in value.items()}
    # only text is masked: max_tokens looks like a secret's name but is a number
    return MASK if isinstance(value, str) and tells_a_secret(name) else value
