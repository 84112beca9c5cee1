"""The help of the default command, made from the table of options without a library."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from llmstream.cli.parsing.commands import first_words
from llmstream.cli.parsing.option import LIMITS, MODEL, OTHER, OUTPUT, PROMPT, SHAPE, Option
from llmstream.cli.parsing.table import options_of

SCREEN: Final = 80
"""Most columns of a line of the help."""
WIDTH: Final = 30
"""Width of the column of names."""
USAGE: Final = """\
Usage: llmstream [OPTIONS] [PROMPT]...
       llmstream COMMAND ...

Stream a language model's answer to PROMPT or to piped input.

Examples:
  llmstream "Write me a 1 verse song about sparkling water."
  git diff | llmstream "Write a commit message for this:"
  llmstream -m groq/llama-3.1-8b-instant -o temperature=0 "What is a monad?"
  llmstream --events "Hello" | jq .data.chunk
  llmstream -- models          # a prompt that is also a command's name
"""


def spelled(option: Option) -> str:
    """Return an option as shown in help: ``-m, --model TEXT``."""
    short = f"-{option.short}, " if option.short else "    "
    names = f"--{option.name}" + (f" / --{option.off}" if option.off else "")
    return f"{short}{names} {placeholder(option)}".rstrip()


def placeholder(option: Option) -> str:
    """Return the placeholder of an option's value in help, "" for a flag."""
    return option.metavar or "|".join(option.choices) or VALUES[option.kind]


def prompt_help() -> str:
    """Return the help text."""
    lines = [USAGE]
    ordered = sorted(options_of(PROMPT), key=lambda option: PANELS.index(option.panel))
    for panel, options in groupby(ordered, key=lambda option: option.panel):
        lines.append(f"{panel}:")
        lines += [_line(f"  {spelled(option)}", option.help) for option in options]
        lines.append("")
    lines.append("Commands (llmstream COMMAND --help):")
    lines += [_line(f"  {name}", text) for name, text in first_words().items()]
    lines += ["", STATUSES]
    return "\n".join(lines)


def _line(left: str, right: str) -> str:
    lines = _folded(right, SCREEN - WIDTH)
    if len(left) > WIDTH - 2:
        lines.insert(0, "")
    lines[0] = f"{left:<{WIDTH}}{lines[0]}".rstrip()
    return f"\n{'':<{WIDTH}}".join(lines)


def _folded(text: str, width: int) -> list[str]:
    """Return a text as lines of at most `width` characters, broken at spaces."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


PANELS: Final = (MODEL, SHAPE, OUTPUT, LIMITS, OTHER)
VALUES: Final = {"text": "TEXT", "path": "PATH", "int": "N", "float": "N", "flag": ""}
"""Placeholders of values in help, by kind."""
STATUSES: Final = """\
Exit status: 0 finished, 1 internal error, 2 usage, 3 configuration, 4 key
refused, 5 request refused, 6 unavailable, 7 no connection, 8 time limit,
9 stream broken, 10 local model, 11 batch failures, 130 Ctrl-C, 141 broken pipe.
"""
