"""`llmstream config alias`: change one line of the file's ``[aliases]`` and leave the rest unchanged."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Final

from llmstream.config.file.load import problems
from llmstream.config.paths import present, write_private
from llmstream.errors import ConfigError

HEADER: Final = re.compile(r"^\[aliases\][ \t]*(#.*)?$", re.MULTILINE)
NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")


def set_alias(path: Path, name: str, spec: str) -> None:
    """Write an alias into the configuration file atomically; create the file if it is missing.

    Args:
        path: the configuration file.
        name: the alias.
        spec: PROVIDER/MODEL or PROVIDER.

    Raises:
        ConfigError: the name is not a valid alias, or the file is invalid or can't be written.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} can't be an alias", hint="use letters, digits, dots, dashes and underscores"
        )
    there = present(path)
    if there and (found := problems(path)):
        raise ConfigError(f"{found[0]}", hint="fix this first: llmstream config edit")
    text = path.read_text("utf-8") if there else ""
    made = with_alias(text, f"{json.dumps(name)} = {json.dumps(spec)}", name)
    if not _says(made, name, spec):
        raise ConfigError(
            f"can't change the aliases in {path} automatically",
            hint=f"run `llmstream config edit` and add {json.dumps(name)} = {json.dumps(spec)}",
        )
    write_private(path, made)


def _says(text: str, name: str, spec: str) -> bool:
    """Return whether this text defines the alias; an inline table `aliases = {}` can't be extended."""
    try:
        document = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError:
        return False
    return bool(document["aliases"][name] == spec)


def with_alias(text: str, line: str, name: str) -> str:
    """Return the file's text with the alias's line replaced, or added if it has none."""
    header = HEADER.search(text)
    if header is None:
        gap = "\n" if text and not text.endswith("\n\n") else ""
        newline = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{newline}{gap}[aliases]\n{line}\n"
    end = re.search(r"^\[", text[header.end() :], re.MULTILINE)
    stop = header.end() + end.start() if end else len(text)
    table = text[header.end() : stop]
    old = re.compile(rf"""^[ \t]*["']?{re.escape(name)}["']?[ \t]*=.*$""", re.MULTILINE)
    table, count = old.subn(lambda match: line, table, count=1)
    if not count:
        table = f"\n{line}{table}"
    return text[: header.end()] + table + text[stop:]
