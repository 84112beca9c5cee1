"""What a user can do instead of asking a model that can't be asked: no extra, or no place for a file."""

from __future__ import annotations

from llmstream.cli.environment import Environment
from llmstream.errors import ConfigError, LLMStreamError, MissingExtra, RequestRefused


def add_to(error: LLMStreamError, environment: Environment) -> None:
    """Add to an error's hint which other models could be asked, where that is the remedy."""
    if isinstance(error, MissingExtra):
        add_ways_out(error, environment)
    elif isinstance(error, RequestRefused) and error.phase == "config":
        add_takers(error, environment)


def add_takers(error: RequestRefused, environment: Environment) -> None:
    """Name the providers that are ready and have models that take images."""
    from llmstream.config.lists.overview import providers
    from llmstream.config.settings import Settings

    lines = providers(Settings.load(environment.config, environment.variables))
    able = [one.provider for one in lines if one.ready and one.images]
    if able:
        names = ", ".join(f"-m {name}" for name in able[:4])
        error.hint = f"choose a model that does; ready with a key: {names}"


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
