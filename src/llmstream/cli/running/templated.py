"""`-t` and `-p`: combine a saved prompt with the options and words of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstream.cli.running.stdin import prompt_text
from llmstream.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.cli.running.stdin import StandardInput
    from llmstream.config.templates import Template


def folder_of(environment: Environment) -> Path:
    """Return the folder of templates, next to the configuration file.

    Raises:
        ConfigError: there is no home folder.
    """
    from llmstream.config.settings import config_path_of
    from llmstream.config.templates import FOLDER

    path = config_path_of(environment.config, environment.variables)[0]
    if path is None:
        raise ConfigError("no home folder for templates", hint="pass --config PATH")
    return path.absolute().parent / FOLDER


def template_of(values: Values, environment: Environment) -> Template | None:
    """Return the template named by -t, None without -t.

    Raises:
        UsageError: no template has this name, or -p is given without -t.
        ConfigError: its file can't be read or is invalid, or there is no home folder.
    """
    if "template" not in values:
        if "param" in values:
            raise UsageError("-p fills in a template, but none is given", hint="pass one with -t NAME")
        return None
    from llmstream.config.templates import load

    return load(folder_of(environment), str(values["template"]))


def put_under(values: Values, template: Template) -> None:
    """Add a template's model, schema and extraction to options that don't set them."""
    if template.model is not None:
        values.setdefault("model", template.model)
    if isinstance(template.schema, str):
        values.setdefault("schema", template.schema)
    if template.extract and not (values.get("extract") or values.get("extract_last")):
        values["extract" if template.extract == "first" else "extract_last"] = True


def text_of(
    template: Template, values: Values, words: Sequence[str], source: StandardInput, *, more: bool
) -> str:
    """Return the prompt's text: the filled template, then the words and standard input.

    The template's system prompt is added to `values` if they have none.

    Args:
        template: the template.
        values: the options.
        words: words of the command line.
        source: standard input, which an option may have read.
        more: whether the prompt has other content, so that its text may be empty.

    Raises:
        UsageError: a placeholder has no value, a value has no placeholder, or the prompt is empty.
    """
    from llmstream.config.templates import STDIN, parameter

    given = values.get("param") or []
    assert isinstance(given, list)
    fields = dict(map(parameter, given))
    if template.takes_stdin and STDIN not in fields and source.piped:
        piped = source.text()
        source.close()
        if piped.strip():
            fields[STDIN] = piped.strip("\n")
    prompt, system = template.filled(fields)
    if system is not None:
        values.setdefault("system", system)
    if prompt is None:
        return prompt_text(words, source, more=more)
    if source.typed:
        source.close()
    rest = prompt_text(words, source, more=True)
    return f"{prompt}\n\n{rest}" if rest.strip() else prompt
