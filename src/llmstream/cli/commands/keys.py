"""`llmstream keys`: API keys in the system's keyring."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from llmstream.cli.command import command
from llmstream.cli.environment import Environment
from llmstream.errors import UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

ProviderArgument = Annotated[str, typer.Argument(help="A provider's name, as in `llmstream providers`")]


@app.command("set")
@command
def set_key(environment: Environment, provider: ProviderArgument) -> str:
    """Keep a provider's key; it is asked for, or read from standard input, never an argument."""
    from llmstream.config.file.kinds import key_flaw
    from llmstream.config.keys.keyring import store
    from llmstream.config.settings import Settings

    # refuses a name that no provider has
    Settings.load(environment.config, environment.variables).provider(provider)
    key = _typed(provider) if os.isatty(0) else os.read(0, 1 << 16).decode("utf-8", "replace")
    key = key.strip()
    flaw = key_flaw(key) if key else "is empty"
    if flaw is not None:
        raise UsageError(f"the key {flaw}")
    store(provider, key)
    return ""


def _typed(provider: str) -> str:
    from getpass import getpass

    return getpass(f"key for {provider}: ")


@app.command("list")
@command
def list_keys(environment: Environment) -> str:
    """List the providers that have a key in the keyring."""
    from llmstream.config.keys.keyring import listed
    from llmstream.config.settings import Settings

    names = Settings.load(environment.config, environment.variables).names()
    return "".join(f"{name}\n" for name in listed(names))


@app.command("delete")
@command
def delete_key(environment: Environment, provider: ProviderArgument) -> str:
    """Delete a provider's key from the keyring."""
    from llmstream.config.keys.keyring import forget

    forget(provider)
    return ""
