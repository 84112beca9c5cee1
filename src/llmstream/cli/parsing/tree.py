"""The tree of commands as data, for the completion scripts: names, options, and what may follow them."""

from __future__ import annotations

from typing import Final

from llmstream.adapters import catalogue
from llmstream.cli.parsing.commands import COMMANDS, first_words
from llmstream.cli.parsing.table import OPTIONS, PROMPT, Option, options_of
from llmstream.record import Record

VALUES: Final = {f"--{option.name}": option.choices for option in OPTIONS if option.choices}
"""Options that take one of a few values."""
FILES: Final = frozenset({"--config", "--file", "-f", "--attach", "-a", "--schema"})
MODELS: Final = frozenset({"--model", "-m", "--fallback"})


class Choice(Record):
    """One option of a command.

    Args:
        names: its spellings, the long one first.
        help: one line.
        value: whether a value follows.
    """

    names: tuple[str, ...]
    help: str
    value: bool


class Node(Record):
    """One command.

    Args:
        name: its name; the default command's is empty.
        help: one line.
        options: what it takes.
        words: its sub-commands, or the words that its argument may be.
    """

    name: str
    help: str
    options: tuple[Choice, ...]
    words: tuple[str, ...] = ()


def tree() -> list[Node]:
    """Return all commands, the default one first; a group has its commands as words and all their options."""
    default = tuple(choice for option in options_of(PROMPT) for choice in _choices(option))
    made = [Node("", "", default, tuple(first_words())), Node(PROMPT, "", default)]
    for first, text in first_words().items():
        if first == PROMPT:
            continue
        within = [command for command in COMMANDS if command.name.split()[0] == first]
        options = {option: None for command in within for option in options_of(command.name)}
        choices = tuple(choice for option in options for choice in _choices(option))
        words = [word for command in within for word in (*command.name.split()[1:], *command.words)]
        made.append(Node(first, text, choices, tuple(words)))
    return made


def _choices(option: Option) -> list[Choice]:
    names = [f"--{option.name}"] + ([f"-{option.short}"] if option.short else [])
    made = [Choice(tuple(names), option.help, option.kind != "flag")]
    return made + ([Choice((f"--{option.off}",), option.help, False)] if option.off else [])


def valued() -> list[str]:
    """Return the options that a value follows."""
    names = {name for node in tree() for option in node.options if option.value for name in option.names}
    return sorted(names)


def providers() -> list[str]:
    """Return the providers' names, each with the slash that a model follows."""
    return [f"{name}/" for name in catalogue.names()]


def words_of(node: Node) -> str:
    """Return all that may follow a command."""
    return " ".join([*node.words, *(name for option in node.options for name in option.names)])
