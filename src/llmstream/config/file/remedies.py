"""Advice for syntax errors: tomllib says where the error is, this says how to correct it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from llmstream.config.file.problems import may_hold_a_secret

UNCLOSED: Final = re.compile(r"""\s*[\w."'-]+\s*=\s*('(?!'')[^']*$|\[[^\]]*$|\"""|''')""")
KEY: Final = r"""\s*(?P<key>[\w."'-]+)\s*"""


def syntax_error(text: str, error: Exception) -> tuple[int, int, str]:
    """Return the line, the column (both from 1) and the remedy of a TOML syntax error.

    Args:
        text: the file's text.
        error: what tomllib raised.
    """
    if isinstance(error, RecursionError):
        return 1, 1, "lists or tables are nested too deeply"
    lines = text.rstrip("\n").split("\n")
    # before Python 3.14, the place is only in the message
    said, _, place = str(error).rpartition(" (at ")
    numbers = [int(word) for word in place.rstrip(")").replace(",", "").split() if word.isdecimal()]
    if len(numbers) == 2:
        line, column = numbers
    else:
        # the error is reported at the end of the file: something was opened earlier and not closed
        line = next((at for at, one in enumerate(lines, 1) if UNCLOSED.match(one)), len(lines))
        column = len(lines[line - 1]) + 1
    if said.startswith("Cannot "):
        return line, column, "this key or table is already in the file"
    source = lines[line - 1] if line <= len(lines) else ""
    sentence, column = remedy(source.rstrip("\r"), column, said or str(error))
    return line, column, sentence


def remedy(line: str, column: int, said: str) -> tuple[str, int]:
    """Return a sentence about a syntax error, and the column where its cause is.

    Args:
        line: the line where the error is.
        column: from 1, where the parser stopped.
        said: the parser's own message; returned when no better one is known.
    """
    for pattern, told in REMEDIES:
        found = pattern.match(line)
        if found:
            sentence = told(found)
            cause = found.start("at") + 1 if "at" in found.groupdict() and found["at"] is not None else column
            return sentence, cause
    return said[:1].lower() + said[1:], column


def _shown(found: re.Match[str]) -> str:
    """Return the value of a key, "..." if it may be a secret."""
    return "..." if may_hold_a_secret(found["key"]) else found["at"].strip()


def _text(value: str) -> str:
    return '"' + value.strip().replace("\\", "\\\\").replace('"', '\\"') + '"'


def _needs_quotes(found: re.Match[str]) -> str:
    return f"text needs quotes: {found['key']} = {_text(_shown(found))}"


REMEDIES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (
        re.compile(KEY + r"=\s*(?P<at>[“”‘’„«])"),
        lambda found: f'{found["at"]} is not a TOML quote; use plain quotes: "..."',
    ),
    (
        # an odd number of quotes on the line, none of them escaped
        re.compile(KEY + r"""=\s*(?P<at>"(?!"")(?:[^"\\]|\\.)*)$"""),
        lambda found: f'the quote is not closed: {found["key"]} = "{_shown(found).lstrip(chr(34))}"',
    ),
    (
        re.compile(KEY + r"""=\s*(?P<at>'(?!'')[^']*)$"""),
        lambda found: f"the quote is not closed: {found['key']} = '{_shown(found).lstrip(chr(39))}'",
    ),
    (
        re.compile(KEY + r"""=\s*(?P<at>"[^"]*\\[^"\\btnfruU][^"]*")"""),
        lambda found: f"double each backslash, or use single quotes: '{_shown(found).strip(chr(34))}'",
    ),
    (
        re.compile(KEY + r"=\s*(?P<at>True|False|TRUE|FALSE|yes|no|on|off|Yes|No|On|Off)\s*(#.*)?$"),
        lambda found: f"write {'true' if found['at'].lower() in ('true', 'yes', 'on') else 'false'}",
    ),
    (
        re.compile(KEY + r"=\s*(?P<at>None|null|nil)\s*(#.*)?$"),
        lambda found: f"TOML has no {found['at']}: leave {found['key']} out",
    ),
    (re.compile(KEY + r"(?P<at>=)\s*(#.*)?$"), lambda found: f"{found['key']} has no value"),
    (
        re.compile(KEY + r"(?P<at>:)(?=\s|\"|'|\d)"),
        lambda found: f"write {found['key']} = ..., with = instead of :",
    ),
    (
        re.compile(KEY + r"=\s*(?P<at>\{[^}]*)$"),
        lambda found: "a table in { } must end on the line where it starts",
    ),
    (
        re.compile(r"\s*(?P<table>\[[^\]]*)$"),
        lambda found: f"the bracket is not closed: {found['table'].strip()}]",
    ),
    (
        re.compile(r"\s*\[+(?P<at>[^\]\"']*[^\]\"'\w.\-][^\]\"']*)\]"),
        lambda found: (
            "a name with characters other than letters, digits, - and _ needs quotes, as in "
            f"[providers.{_text(found['at'].removeprefix('providers.'))}]"
        ),
    ),
    (
        re.compile(KEY + r"=\s*(?P<at>\d+(\.\d+)?)\s*(s|sec|seconds|ms|m|min|h|k|K)\s*(#.*)?$"),
        lambda found: f"a number takes no unit: write {found['key']} = {found['at']}",
    ),
    (
        re.compile(r"[^#]*[{,]" + KEY + r"=\s*(?P<at>(?!true\b|false\b)[^\s\"'\[{#=,}\d+-][^,}\"']*)"),
        _needs_quotes,
    ),
    (
        re.compile(r"(?P<at>\{)"),
        lambda found: "this is JSON; the file must be TOML, with one KEY = VALUE per line",
    ),
    (
        re.compile(KEY + r"=\s*(?P<at>(?![+-]?[\d._]+\s*(?:#|$))[^\s\"'\[{#=][^#=]*?)\s*(#.*)?$"),
        _needs_quotes,
    ),
    (
        re.compile(r"\s*[\w.-]+\s+(?P<at>[\"'\w\[{].*)$"),
        lambda found: "missing = between the key and its value",
    ),
)
"""Patterns of wrong lines, from the most to the least certain, and the sentence for each."""
