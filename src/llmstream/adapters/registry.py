"""The adapters by name, without importing any of them.

A run uses one dialect, so the modules are only named here and imported on demand.  Plugins are searched
for only if a name is not in this table, because reading the entry points of installed packages takes
14 ms.
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
"""Entry-point group for adapters in installed packages: name = "module:Class"."""

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
"""Adapters for HTTP APIs: name -> "module:Class"."""

SPECIAL: Final = ("local", "exec", "runnable", "replay")
"""Adapters in the configuration that don't use HTTP themselves: a model in this process, a command, a Python
object, a recording."""

EMBEDDED: Final = ("openai-chat", "openai-completions", "openai-responses", "anthropic")
"""Dialects that the model in this process supports; the first is the default."""


def names() -> tuple[str, ...]:
    """Return the names of all built-in adapters, the special ones last."""
    return (*ADAPTERS, *SPECIAL)


def known(name: str) -> bool:
    """Return whether `name` is an adapter, built in or installed."""
    return name in ADAPTERS or name in SPECIAL or _plugin(name) is not None


def adapter(name: str) -> Adapter:
    """Return the adapter of this name, importing its module.

    Args:
        name: a key of `ADAPTERS`, or the name of an installed plugin's entry point.

    Raises:
        ConfigError: the name is unknown or in `SPECIAL`, or the module can't be imported.
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
    except Exception as error:  # a plugin may raise anything
        raise ConfigError(f'the adapter "{name}" ({path}) can\'t be loaded: {error}') from error
    if name in ADAPTERS:
        _CLASSES[name] = found
    return made


def _plugin(name: str) -> EntryPoint | None:
    from importlib.metadata import entry_points

    return next(iter(entry_points(group=ENTRY_POINTS, name=name)), None)


_CLASSES: Final[dict[str, Callable[[], Adapter]]] = {}
"""Classes of the built-in adapters used so far, because importlib is slow even for a loaded module."""
_HINT: Final = "adapters: " + ", ".join(ADAPTERS)
