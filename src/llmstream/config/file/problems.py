"""Problems of a file of ours as text: place, sentence, and the line with a caret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from llmstream.prompt import tells_a_secret
from llmstream.record import Record

SHOWN: Final = 15
"""Most problems that one message lists; the rest are counted."""
WIDEST: Final = 100
"""Most characters of a line that are shown."""
HARMLESS: Final = frozenset(
    {"max_tokens", "first_token", "min_tokens", "api_key_env", "api_key_file", "api_key_command"}
)
"""Names that look like a secret's but don't hold one."""
VARIABLES: Final = re.compile(r"""[\w\s"',\[\]]*(#.*)?""")
NAMED: Final = re.compile(r"""([A-Za-z0-9_-]+)["']?\s*[=:]""")


class Problem(Record):
    """One problem in a file.

    Args:
        file: its path.
        line: from 1; 0 when the problem is not on one line.
        column: from 1, in characters; 0 when `line` is 0.
        text: what is wrong, with the nearest valid name if there is one.
        source: the line itself, empty when it must not be shown.
    """

    file: Path
    line: int
    column: int
    text: str
    source: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"

    @property
    def place(self) -> str:
        """The place in compiler format: ``FILE:LINE:COLUMN``."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else str(self.file)

    @property
    def excerpt(self) -> list[str]:
        """The line and, below it, a caret under the column; empty when there is no line."""
        if not self.source:
            return []
        at, line = self.column - 1, self.source
        if len(line) > WIDEST:
            start = max(0, at - WIDEST // 2)
            line, at = line[start : start + WIDEST], at - start
        number = str(self.line)
        return [f"{number} | {line}", f"{'':{len(number)}} | {'':{at}}^"]


def may_hold_a_secret(name: str) -> bool:
    """Return whether the value of a key of this name may be a secret and must not be shown."""
    return tells_a_secret(name) and name.lower() not in HARMLESS


def line_at(text: str, line: int) -> str:
    """Return a line of a file with anything that may be an API key masked.

    Args:
        text: the file's text.
        line: from 1; "" is returned for a line that doesn't exist.
    """
    lines = text.split("\n")
    if not 0 < line <= len(lines):
        return ""
    source = lines[line - 1].rstrip("\r").replace("\t", " ")
    names = NAMED.findall(source)
    head, _, value = source.partition("=")
    # the user may have put the key where its variable's name belongs
    pasted = "api_key_env" in names and not VARIABLES.fullmatch(value)
    if pasted or any(map(may_hold_a_secret, names)):
        return f"{re.split('[=:]', head)[0].rstrip()} = ***"
    return source


def message(found: list[Problem]) -> str:
    """Return the problems of a file as an error message: one line each, with the source line below it."""
    if len(found) == 1:
        return "\n".join([str(found[0]), *found[0].excerpt])
    lines = [f"{len(found)} problems in {found[0].file}"]
    for problem in found[:SHOWN]:
        lines += [str(problem), *problem.excerpt]
    if len(found) > SHOWN:
        lines.append(f"and {len(found) - SHOWN} more")
    return "\n".join(lines)
