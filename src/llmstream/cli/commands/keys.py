"""`llmstream keys`: API keys in the system's keyring."""

from __future__ import annotations

import os

from llmstream.cli.command import texts
from llmstream.cli.environment import Environment
from llmstream.errors import UsageError


@texts
def set_key(environment: Environment, provider: str) -> str:
    """Keep a provider's key; it is asked for, or read from standard input, never an argument."""
    from llmstream.config.file.kinds import key_flaw
    from llmstream.config.keys.keyring import store
    from llmstream.config.settings import Settings

    # refuses a name that no provider has
    Settings.load(environment.config, environment.variables).provider(provider)
    key = (
        _typed(provider)
        if os.isatty(environment.stdin)
        else os.read(environment.stdin, 1 << 16).decode("utf-8", "replace")
    )
    key = key.strip()
    flaw = key_flaw(key) if key else "is empty"
    if flaw is not None:
        raise UsageError(f"the key {flaw}")
    store(provider, key)
    return ""


def _typed(provider: str) -> str:
    from getpass import getpass

    return getpass(f"key for {provider}: ")


@texts
def list_keys(environment: Environment) -> str:
    """List the providers that have a key in the keyring."""
    from llmstream.config.keys.keyring import listed
    from llmstream.config.settings import Settings

    names = Settings.load(environment.config, environment.variables).names()
    return "".join(f"{name}\n" for name in listed(names))


@texts
def delete_key(environment: Environment, provider: str) -> str:
    """Delete a provider's key from the keyring."""
    from llmstream.config.keys.keyring import forget

    forget(provider)
    return ""
