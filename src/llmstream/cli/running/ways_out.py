"""Alternatives for a model that can't be used: its extra is missing, or it doesn't accept a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstream.cli.environment import Environment
from llmstream.errors import LLMStreamError, MissingExtra

if TYPE_CHECKING:
    from llmstream.runnable.calls import NotTaken


def add_to(error: LLMStreamError, environment: Environment) -> None:
    """Add the models that could be used instead to the hint of a MissingExtra or NotTaken."""
    if isinstance(error, MissingExtra):
        add_ways_out(error, environment)
        return
    from llmstream.runnable import calls

    if isinstance(error, calls.NotTaken):
        add_takers(error, environment)


def add_takers(error: NotTaken, environment: Environment) -> None:
    """Set the hint to the ready models that accept this kind of file, else to providers with such a model."""
    from llmstream.config.lists.takers import takers
    from llmstream.config.settings import Settings
    from llmstream.runnable.calls import KINDS

    ready, others = takers(Settings.load(environment.config, environment.variables), error.kind)
    if ready:
        error.hint = f"use a model that can: {_named(ready)}"
    elif others:
        error.hint = (
            f"providers whose default model reads {KINDS[error.kind]}: {', '.join(others)}\n"
            f"set a key first: llmstream keys set {others[0]}"
        )


def _named(providers: list[str]) -> str:
    return ", ".join(f"-m {name}" for name in providers[:4])


def add_ways_out(error: MissingExtra, environment: Environment) -> None:
    """Add the providers whose key variable is set, and the configuration file's path, to the hint."""
    from llmstream.adapters import catalogue
    from llmstream.config.settings import config_path_of

    ready = {
        variable: row.name
        for row in reversed(catalogue.rows())
        for variable in row.api_key_env
        if environment.variables.get(variable)
    }
    lines = [error.hint]
    lines += [f"${variable} is set: llmstream -m {name} ..." for variable, name in ready.items()]
    if not ready:
        lines.append("or set a provider's API key, such as OPENAI_API_KEY, and run llmstream -m openai ...")
    path = config_path_of(environment.config, environment.variables)[0]
    if path is not None:
        lines.append(f"or set a default model in {path}")
    error.hint = "\n".join(line for line in lines if line)
