"""What a user without the local model's extra can do instead, said where it is missed."""

from __future__ import annotations

from llmstream.cli.environment import Environment
from llmstream.errors import ConfigError, MissingExtra


def add_ways_out(error: MissingExtra, environment: Environment) -> None:
    """Add to the hint: providers whose key is there right now, and the configuration file's path."""
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
        lines.append("or set a provider's key, such as OPENAI_API_KEY, and name it: llmstream -m openai ...")
    try:
        path = config_path_of(None, environment.variables)[0]
    except ConfigError:
        path = None
    if path is not None:
        lines.append(f"or set a default in {path}")
    error.hint = "\n".join(line for line in lines if line)
