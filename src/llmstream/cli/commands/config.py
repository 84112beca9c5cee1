"""`llmstream config`: path, settings in effect, check, creation and editing of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmstream.cli.command import texts
from llmstream.cli.environment import Environment
from llmstream.config.paths import present, why_absent
from llmstream.errors import ConfigError

if TYPE_CHECKING:
    from llmstream.config.settings import Settings


def _path(environment: Environment) -> Path:
    from llmstream.config.settings import config_path_of

    found = config_path_of(environment.config, environment.variables)[0]
    if found is None:
        raise ConfigError("no home folder for the configuration", hint="pass --config PATH")
    return found


@texts
def path(environment: Environment) -> str:
    """Return the configuration file's path as text."""
    return f"{_path(environment)}\n"


@texts
def show(environment: Environment, *, origin: bool = False, model: str | None = None) -> str:
    """Return the settings in effect as text; keys are masked."""
    from llmstream.config.settings import Settings
    from llmstream.config.show import show as shown

    lines = shown(Settings.load(environment.config, environment.variables), model)
    if model is not None:
        lines = [line for line in lines if line.key.startswith("providers.")]
    from llmstream.render.columns import columns

    rows = [[f"{line.key} = {line.value}", *([f"# {line.origin}"] if origin else [])] for line in lines]
    return columns(rows)


@texts
def check(environment: Environment) -> str:
    """Check the configuration file and report all problems."""
    from llmstream.config.settings import Settings

    file = _path(environment)
    if environment.config is None and (why := why_absent(file)):
        return f"{file}: {why}; using defaults\n"
    settings = Settings.load(file, environment.variables)
    warnings = [*settings.warnings, *map(_hides, filter(settings.is_provider, settings.aliases))]
    warnings += filter(None, (_leads_nowhere(settings, alias) for alias in settings.aliases))
    return "".join(f"warning: {warning}\n" for warning in warnings) + f"{file}: no problems found\n"


def _leads_nowhere(settings: Settings, alias: str) -> str:
    """Return a warning about an alias in a ring of aliases, empty for any other one."""
    try:
        settings.split(alias)
    except ConfigError as error:
        return error.message
    return ""


def _hides(alias: str) -> str:
    return f'the alias "{alias}" hides the provider with that name'


@texts
def init(environment: Environment) -> str:
    """Write a starter configuration file, all of it commented out."""
    from llmstream.config.file.starter import init as write

    file = _path(environment)
    write(file)
    return f"{file}\n"


@texts
def edit(environment: Environment) -> str:
    """Open the configuration file in $VISUAL or $EDITOR, then check it."""
    from llmstream.cli.running.editor import edit_file
    from llmstream.config.file.starter import init as write
    from llmstream.config.settings import Settings

    file = _path(environment)
    if not present(file):
        write(file)
    edit_file(file, environment.variables)
    Settings.load(file, environment.variables)
    return f"{file}: no problems found\n"


@texts
def alias(
    environment: Environment,
    name: str,
    model: str,
) -> str:
    """Set a short name for a model."""
    from llmstream.config.file.aliases import set_alias
    from llmstream.config.settings import Settings

    file = _path(environment)
    settings = Settings.load(file if present(file) else None, environment.variables)
    settings.provider(settings.split(model)[0])
    if settings.is_provider(name):
        raise ConfigError(
            f"{_hides(name)}: choose another name", hint="to list the providers: llmstream providers"
        )
    if name == model:
        raise ConfigError(f'the alias "{name}" would refer to itself')
    set_alias(file, name, model)
    return f"{name} = {model}\n"
