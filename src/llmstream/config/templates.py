"""Templates: saved prompts with placeholders, one TOML file each, in a folder next to the configuration file.

A file is checked like the configuration: all problems are reported at once, with line, column and the
nearest valid key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from llmstream.config.file import check, kinds
from llmstream.config.file.load import examined, refused
from llmstream.config.paths import present, write_private
from llmstream.config.toml_text import toml_key, toml_lines, toml_value
from llmstream.errors import ConfigError, UsageError
from llmstream.jobs.places import Places
from llmstream.nearest import did_you_mean, quoted
from llmstream.prompt import NOTHING, Json
from llmstream.record import Record

NAME: Final = re.compile(r"\w[\w.-]*")
PARAMETER: Final = re.compile(r"[\w-]+")
STDIN: Final = "stdin"
KEYS: Final = ("system", "prompt", "model", "options", "schema", "extract", "params")
FOLDER: Final = "templates"

Extract: TypeAlias = Literal["first", "last"] | None


class Template(Record):
    """A saved prompt.

    Args:
        name: its name.
        system: system prompt, None for none.
        prompt: the prompt's text, None if it comes from the command line alone.
        model: PROVIDER/MODEL, PROVIDER or an alias; None for the configuration's default.
        options: model options.
        schema: as `--schema` takes it, or a JSON Schema as a table; None for none.
        extract: the code block to print, None for the whole answer.
        params: default values of the placeholders.
    """

    name: str
    system: str | None = None
    prompt: str | None = None
    model: str | None = None
    options: Mapping[str, Json] = NOTHING
    schema: str | Mapping[str, Json] | None = None
    extract: Extract = None
    params: Mapping[str, str] = NOTHING  # type: ignore[assignment]  # an empty mapping has no values

    @property
    def places(self) -> tuple[str, ...]:
        """The names of the placeholders in its prompt and system prompt."""
        found = [name for text in (self.prompt, self.system) if text for name in Places(text).names]
        return tuple(dict.fromkeys(found))

    @property
    def takes_stdin(self) -> bool:
        """Whether standard input fills a placeholder instead of following the prompt."""
        return STDIN in self.places

    def filled(self, values: Mapping[str, str]) -> tuple[str | None, str | None]:
        """Return prompt and system prompt with all placeholders filled.

        Args:
            values: those of `-p`, and `stdin` when there is standard input.

        Raises:
            UsageError: a placeholder has no value, or a value has no placeholder; the message names it.
        """
        unknown = [name for name in values if name not in self.places and name not in self.params]
        for name in unknown:
            if name != STDIN:
                close = did_you_mean(name, [*self.places, *self.params])
                raise UsageError(f'the template "{self.name}" has no parameter {quoted(name)}{close}')
        fields = {**self.params, **values}
        missing = [name for name in self.places if name not in fields]
        if missing:
            raise UsageError(
                f'the template "{self.name}" needs a value for {", ".join(f"{{{m}}}" for m in missing)}',
                hint="\n".join(_remedy(name) for name in missing),
            )
        prompt, system = (None if t is None else Places(t).fill(fields) for t in (self.prompt, self.system))
        return prompt, system


def _remedy(name: str) -> str:
    return "pipe text in, for example < notes.txt" if name == STDIN else f"pass -p {name}=VALUE"


def parameter(text: str) -> tuple[str, str]:
    """Return name and value of ``KEY=VALUE``.

    Raises:
        UsageError: the ``=`` is missing, or the name is not valid.
    """
    name, sign, value = text.partition("=")
    if not sign or not PARAMETER.fullmatch(name):
        raise UsageError(f"{quoted(text)} is not KEY=VALUE", hint="for example -p language=French")
    return name, value


def path_of(folder: Path, name: str) -> Path:
    """Return the path of a template's file, existing or not.

    Args:
        folder: the templates folder.
        name: the template's name, never a path.

    Raises:
        UsageError: it is not a valid template name.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{quoted(name)} is not a valid template name",
            hint="use letters, digits, dots, dashes and underscores",
        )
    return folder / f"{name}.toml"


def names(folder: Path) -> list[str]:
    """Return the names of all templates, including those with an invalid file."""
    try:
        found = [file.stem for file in folder.iterdir() if file.suffix == ".toml"]
    except OSError:
        return []
    return sorted(name for name in found if NAME.fullmatch(name))


def existing(folder: Path, name: str) -> Path:
    """Return the path of an existing template's file.

    Raises:
        UsageError: it doesn't exist; the message names the nearest one.
    """
    path = path_of(folder, name)
    if not present(path):
        known = names(folder)
        raise UsageError(
            f"unknown template {quoted(name)}{did_you_mean(name, known)}",
            hint="to list the templates: llmstream template list" if known else f"no templates in {folder}",
        )
    return path


def load(folder: Path, name: str) -> Template:
    """Return the template of this name.

    Raises:
        UsageError: no template has this name.
        ConfigError: its file can't be read or is invalid; the message has file, line and column.
    """
    return read(existing(folder, name), name)


def read(path: Path, name: str) -> Template:
    """Return the template in a file.

    Raises:
        ConfigError: the file can't be read or is invalid; the message has file, line and column.
    """
    found, document = examined(path, flaws)
    if found:
        raise refused(found)
    extract = document.get("extract")
    params = cast("dict[str, object]", document.get("params", {}))
    return Template(
        name=name,
        system=cast("str | None", document.get("system")),
        prompt=cast("str | None", document.get("prompt")),
        model=cast("str | None", document.get("model")),
        options=cast("dict[str, Json]", document.get("options", {})),
        schema=cast("str | dict[str, Json] | None", document.get("schema")),
        extract="last" if extract == "last" else "first" if extract else None,
        params={key: value if isinstance(value, str) else toml_value(value) for key, value in params.items()},
    )


def flaws(document: Mapping[str, object]) -> Iterator[check.Flaw]:
    """Yield every problem in a template's content."""
    for name, value in document.items():
        if name in ("options", "params"):
            yield from check.table((name,), value, check.option if name == "options" else _parameter)
        elif name in _KINDS:
            flaw = _KINDS[name](value)
            if flaw is not None:
                yield check.Flaw((name,), f"{name} {flaw}")
        else:
            yield check.Flaw((name,), f"unknown key {quoted(name)}{did_you_mean(name, KEYS)}")


def _parameter(path: tuple[str, ...], value: object) -> Iterator[check.Flaw]:
    if not PARAMETER.fullmatch(path[-1]):
        yield check.Flaw(
            path, f"{quoted(path[-1])} is not a valid parameter name: use letters, digits, _ and -"
        )
    if not isinstance(value, str | int | float):
        yield check.Flaw(path, f"params.{path[-1]} must be text, not {kinds.kind_of(value)}")


def _lines(value: object) -> str | None:
    """Text of one or more lines."""
    if not isinstance(value, str):
        return f"must be text, not {kinds.kind_of(value)}"
    return None if value.strip() else "is empty"


def _schema(value: object) -> str | None:
    """A value of --schema, or a JSON Schema as a table."""
    return kinds.json(value) if isinstance(value, dict) else _lines(value)


def _extract(value: object) -> str | None:
    """True for the first code block, or "last"."""
    return None if isinstance(value, bool) or value == "last" else 'must be true, false or "last"'


_KINDS: Final[Mapping[str, kinds.Complaint]] = {
    "system": _lines,
    "prompt": _lines,
    "model": kinds.text,
    "schema": _schema,
    "extract": _extract,
}


def text_of(template: Template) -> str:
    """Return a template as the text of its file."""
    plain: Sequence[tuple[str, object]] = (
        ("model", template.model),
        ("system", template.system),
        ("prompt", template.prompt),
        ("schema", template.schema),
        ("extract", {"first": True, "last": "last", None: None}[template.extract]),
    )
    text = "".join(f"{key} = {toml_lines(value)}\n" for key, value in plain if value is not None)
    for key, table in (("options", template.options), ("params", template.params)):
        if table:
            rows = "".join(f"{toml_key(k)} = {toml_lines(v)}\n" for k, v in table.items())
            text += f"\n[{key}]\n{rows}"
    return text.removeprefix("\n")


def save(folder: Path, template: Template) -> Path:
    """Write a template's file, replacing an older one, and return its path.

    Raises:
        UsageError: its name is not valid, or there is nothing to save.
        ConfigError: the file can't be written or would be invalid.
    """
    path = path_of(folder, template.name)
    text = text_of(template)
    if not text:
        raise UsageError("nothing to save", hint='give a prompt or options, such as -s "Be brief."')
    import tomllib

    for flaw in flaws(tomllib.loads(text)):
        raise ConfigError(flaw.text)
    write_private(path, text)
    return path
