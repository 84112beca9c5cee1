"""The adapters by name, without importing any of them.

One dialect is used in one run: naming the modules here and importing on demand keeps the other
dialects out of the start.  Plugins are looked for only after this table has failed to know a
name, because reading the installed packages' entry points costs 14 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmstream.errors import ConfigError
from llmstream.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

    from llmstream.adapters.base import Adapter

ENTRY_POINTS: Final = "llmstream.adapters"
"""Entry-point group in which an installed package offers an adapter: name = "module:Class"."""

ADAPTERS: Final[dict[str, str]] = {
    "openai-completions": "llmstream.adapters.openai_completions:OpenAICompletions",
    "openai-chat": "llmstream.adapters.openai_chat:OpenAIChat",
    "openai-responses": "llmstream.adapters.openai_responses:OpenAIResponses",
    "anthropic": "llmstream.adapters.anthropic:Anthropic",
    "gemini": "llmstream.adapters.gemini:Gemini",
    "ollama": "llmstream.adapters.ollama:Ollama",
    "cohere": "llmstream.adapters.cohere:Cohere",
    "bedrock": "llmstream.adapters.bedrock:Bedrock",
}
"""Dialects spoken over HTTP: name -> "module:Class"."""

SPECIAL: Final = ("local", "exec", "runnable", "replay")
"""Adapters of the configuration that speak no dialect: a model in this process, a command, an object, a
recording."""

EMBEDDED: Final = ("openai-chat", "openai-completions", "openai-responses", "anthropic")
"""Dialects in which the model in this process can be asked; the first unless the provider says."""


def names() -> tuple[str, ...]:
    """Return the names of all built-in adapters, the special ones last."""
    return (*ADAPTERS, *SPECIAL)


def known(name: str) -> bool:
    """Return whether `name` is an adapter, built in or installed."""
    return name in ADAPTERS or name in SPECIAL or _plugin(name) is not None


def adapter(name: str) -> Adapter:
    """Return the adapter of that name, importing its module.

    Args:
        name: a key of `ADAPTERS`, or the name of an installed plugin's entry point.

    Raises:
        ConfigError: no adapter has that name, or its module can't be imported.
    """
    if name in SPECIAL:
        raise ConfigError(f'the adapter "{name}" does not use HTTP')
    known_class = _CLASSES.get(name)
    if known_class is not None:
        return known_class()
    path = ADAPTERS.get(name)
    if path is None:
        plugin = _plugin(name)
        if plugin is None:
            raise ConfigError(f'unknown adapter "{name}"{did_you_mean(name, names())}', hint=_HINT)
        path = plugin.value
    from importlib import import_module

    module, _, attribute = path.partition(":")
    try:
        found: Callable[[], Adapter] = getattr(import_module(module), attribute)
        made = found()
    except Exception as error:  # a plugin is anybody's code
        raise ConfigError(f'the adapter "{name}" ({path}) can\'t be loaded: {error}') from error
    if name in ADAPTERS:
        _CLASSES[name] = found
    return made


def _plugin(name: str) -> EntryPoint | None:
    from importlib.metadata import entry_points

    return next(iter(entry_points(group=ENTRY_POINTS, name=name)), None)


_CLASSES: Final[dict[str, Callable[[], Adapter]]] = {}
"""What made the built-in adapters so far: importlib is slow even where a module is there."""
_HINT: Final = "adapters: " + ", ".join(ADAPTERS)
