"""`llmstream keys`: API keys in the system's keyring."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from llmstream.cli.command import ConfigOption, DebugOption, carried_out
from llmstream.cli.environment import Environment
from llmstream.errors import UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

ProviderArgument = Annotated[str, typer.Argument(help="A provider's name, as in `llmstream providers`")]


def _known(provider: str, config: ConfigOption, environment: Environment) -> None:
    """Refuse a name that no provider has, with the nearest one."""
    from llmstream.config.settings import Settings

    Settings.load(config, environment.variables).provider(provider)


@app.command("set")
def set_key(provider: ProviderArgument, config: ConfigOption = None, debug: DebugOption = False) -> int:
    """Keep a provider's key; it is asked for, or read from standard input, never an argument."""

    def work(environment: Environment) -> str:
        from llmstream.config.keystore import store
        from llmstream.config.kinds import key_flaw

        _known(provider, config, environment)
        key = _typed(provider) if os.isatty(0) else os.read(0, 1 << 16).decode("utf-8", "replace")
        key = key.strip()
        flaw = key_flaw(key) if key else "is empty"
        if flaw is not None:
            raise UsageError(f"the key {flaw}")
        store(provider, key)
        return ""

    return carried_out(work, debug=debug)


def _typed(provider: str) -> str:
    from getpass import getpass

    return getpass(f"key for {provider}: ")


@app.command("list")
def list_keys(config: ConfigOption = None, debug: DebugOption = False) -> int:
    """List the providers that have a key in the keyring."""

    def work(environment: Environment) -> str:
        from llmstream.config.keystore import listed
        from llmstream.config.settings import Settings

        names = Settings.load(config, environment.variables).names()
        return "".join(f"{name}\n" for name in listed(names))

    return carried_out(work, debug=debug)


@app.command("delete")
def delete_key(provider: ProviderArgument, debug: DebugOption = False) -> int:
    """Delete a provider's key from the keyring."""

    def work(environment: Environment) -> str:
        from llmstream.config.keystore import forget

        forget(provider)
        return ""

    return carried_out(work, debug=debug)
