"""`llmstream keys`: store API keys in the system's keyring, or in files that only the user can read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from llmstream.cli.command import texts
from llmstream.cli.environment import Environment
from llmstream.errors import ConfigError, MissingExtra, UsageError

if TYPE_CHECKING:
    from llmstream.config.settings import Settings


@texts
def set_key(environment: Environment, provider: str, *, file: bool = False) -> str:
    """Store a provider's key, which is typed or read from standard input and never an argument."""
    settings = _settings(environment)
    _check_wanted(settings, provider)
    if not file:
        from llmstream.config.keys.keyring import require

        # checked before the user types a key
        require(provider)
    key = _given(environment, provider)
    if file:
        from llmstream.config.keys.kept import keep

        place = f"in {keep(_folder(environment), provider, key)}"
    else:
        from llmstream.config.keys.keyring import store

        store(provider, key)
        place = "in the system keyring"
    environment.say(f"stored the key for {provider} {place}")
    origin = settings.key_state(provider).origin
    if settings.key_state(provider).found and origin.startswith(("$", "api_key_command", "api_key in")):
        environment.say(f"note: {origin} takes precedence over it")
    return ""


@texts
def list_keys(environment: Environment) -> str:
    """List the providers that have a stored key."""
    from llmstream.config.keys.kept import kept_file
    from llmstream.config.keys.keyring import stored
    from llmstream.config.paths import present

    folder = _folder(environment)
    rows = [
        f"{name}\n"
        for name in _settings(environment).names()
        if present(kept_file(folder, name)) or stored(name)
    ]
    if not rows:
        environment.say("no stored keys; to store one: llmstream keys set PROVIDER")
    return "".join(rows)


@texts
def delete_key(environment: Environment, provider: str) -> str:
    """Delete a provider's stored key."""
    from llmstream.config.keys.kept import forget_kept
    from llmstream.config.keys.keyring import forget

    kept = forget_kept(_folder(environment), provider)
    try:
        forget(provider)
    except MissingExtra as error:
        if not kept:
            raise ConfigError(
                f"no key is stored for {provider}", hint="to list stored keys: llmstream keys list"
            ) from error
    except ConfigError:
        # the key may have been in the file only
        if not kept:
            raise
    environment.say(f"deleted the stored key for {provider}")
    return ""


def _settings(environment: Environment) -> Settings:
    from llmstream.config.settings import Settings

    return Settings.load(environment.config, environment.variables)


def _folder(environment: Environment) -> Path:
    from llmstream.config.settings import config_path_of

    found = config_path_of(environment.config, environment.variables)[0]
    if found is None:
        raise ConfigError("no home folder to store keys in", hint="pass --config PATH")
    return found.parent


def _check_wanted(settings: Settings, name: str) -> None:
    """Raise ConfigError for an unknown provider, UsageError for one that would never use the key."""
    provider = settings.provider(name)
    if not provider.wants_key:
        raise UsageError(f"{name} (adapter {provider.adapter}) needs no API key")
    if provider.key_settings.get("api_key_env") == "" and len(provider.key_settings) == 1:
        own = name in settings.file.providers
        hint = f"to send one, remove that line from [providers.{name}]" if own else ""
        raise UsageError(f'{name} needs no API key (api_key_env = "")', hint=hint)


def _given(environment: Environment, provider: str) -> str:
    from llmstream.config.file.kinds import key_flaw

    if os.isatty(environment.stdin):
        from getpass import getpass

        text = getpass(f"API key for {provider} (input is hidden): ")
    else:
        text = os.read(environment.stdin, 1 << 16).decode("utf-8", "replace")
    key = text.strip()
    flaw = key_flaw(key) if key else "is empty"
    if flaw is not None:
        raise UsageError(f"the key {flaw}")
    return key
