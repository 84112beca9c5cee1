"""`llmstream template`: list, show, save, edit and remove saved prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmstream.cli.command import texts
from llmstream.cli.running.templated import folder_of
from llmstream.errors import ConfigError, UsageError
from llmstream.render.columns import columns

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.config.templates import Extract


@texts
def listed(environment: Environment) -> str:
    """List the saved prompts, including those with an invalid file."""
    from llmstream.config.templates import load, names, path_of
    from llmstream.render.guard import one_line

    folder = folder_of(environment)
    rows = []
    for name in names(folder):
        try:
            found = load(folder, name)
            said = one_line(found.prompt or found.system or "", 60)
        except ConfigError as error:
            said = (
                f"(invalid: {one_line(error.message.removeprefix(f'{path_of(folder, name)}:').strip(), 60)})"
            )
        rows.append([name, said])
    if not rows:
        environment.say("no templates; to save one: llmstream template save NAME PROMPT")
    return columns(rows, environment.width_of(environment.out))


@texts
def show(environment: Environment, name: str) -> str:
    """Return the text of a saved prompt's file."""
    from llmstream.config.templates import existing

    file = existing(folder_of(environment), name)
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't read {file}: {error}") from error


def save(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Save a prompt with the options of a run."""
    from llmstream.cli.running.asked import listed as given
    from llmstream.cli.running.asked import overrides_of
    from llmstream.config.templates import Template, parameter
    from llmstream.config.templates import save as write

    name, *prompt = words
    if values.get("extract") and values.get("extract_last"):
        raise UsageError("-x and --extract-last can't be combined; use one of them")
    extract: Extract = "first" if values.get("extract") else "last" if values.get("extract_last") else None
    # check the schema, but save it as written
    options = overrides_of(values).options
    found = {**options.given(), **options.extra} if options is not None else {}
    found.pop("schema", None)
    template = Template(
        name=name,
        system=_text(values, "system"),
        prompt=" ".join(prompt) or None,
        model=_text(values, "model"),
        options=found,
        schema=_text(values, "schema"),
        extract=extract,
        params=dict(map(parameter, given(values, "param"))),
    )
    path = write(folder_of(environment), template)
    environment.say(f"saved {path}")
    return 0


def _text(values: Values, key: str) -> str | None:
    value = values.get(key)
    return None if value is None else str(value)


@texts
def edit(environment: Environment, name: str) -> str:
    """Open a saved prompt in the editor, then check it; a new one starts empty."""
    from llmstream.cli.running.editor import edit_file
    from llmstream.config.paths import private_folder
    from llmstream.config.templates import load, path_of

    folder = folder_of(environment)
    path = path_of(folder, name)
    private_folder(folder)
    edit_file(path, environment.variables)
    load(folder, name)
    environment.say(f"{path}: no problems found")
    return ""


@texts
def remove(environment: Environment, name: str) -> str:
    """Remove a saved prompt."""
    from llmstream.config.templates import existing

    file = existing(folder_of(environment), name)
    try:
        file.unlink()
    except OSError as error:
        raise ConfigError(f"can't delete {file}: {error.strerror}") from error
    environment.say(f"deleted {file}")
    return ""


@texts
def path(environment: Environment) -> str:
    """Return the path of the folder of saved prompts."""
    return f"{folder_of(environment)}\n"
