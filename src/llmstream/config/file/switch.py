"""Change one top-level setting of the configuration file and leave its other lines unchanged."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from llmstream.config.file.load import problems
from llmstream.config.paths import present, write_private
from llmstream.config.toml_text import toml_value
from llmstream.errors import ConfigError


def set_top(path: Path, name: str, value: object) -> None:
    """Write a top-level setting into the configuration file atomically; create the file if it is missing.

    Args:
        path: the configuration file.
        name: the setting, a bare key.
        value: true or false, a number or text.

    Raises:
        ConfigError: the file is invalid or can't be written.
    """
    there = present(path)
    if there and (found := problems(path)):
        raise ConfigError(f"{found[0]}", hint="fix this first: llmstream config edit")
    text = path.read_text("utf-8") if there else ""
    line = f"{name} = {toml_value(value)}"
    made = with_top(text, name, line)
    if tomllib.loads(made.removeprefix("\ufeff")).get(name) != value:
        raise ConfigError(
            f"can't change {name} in {path} automatically",
            hint=f"run `llmstream config edit` and put {line} at the top",
        )
    write_private(path, made)


def with_top(text: str, name: str, line: str) -> str:
    """Return the file's text with the setting's line replaced, or added before the first table."""
    table = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    end = table.start() if table else len(text)
    top, rest = text[:end], text[end:]
    old = re.compile(rf"^[ \t]*{re.escape(name)}[ \t]*=[^\n#]*", re.MULTILINE)
    changed, count = old.subn(lambda found: line + " " * found[0].endswith((" ", "\t")), top, count=1)
    if count:
        return changed + rest
    if not rest:
        newline = "" if not top or top.endswith("\n") else "\n"
        return f"{top}{newline}{line}\n"
    # the setting goes above the first table and the comment that belongs to it, with a blank line between
    comment = re.search(r"(?:^[ \t]*#.*\n)*\Z", top, re.MULTILINE)
    start = comment.start() if comment else end
    body = top[:start].rstrip()
    before = f"{body}\n" if body else ""
    return f"{before}{line}\n\n{top[start:]}{rest}"
