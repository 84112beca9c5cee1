"""The tree of commands as data, for the completion scripts: names, options, and what may follow them."""

from __future__ import annotations

from typing import Final

import typer

from llmstream.adapters import catalogue
from llmstream.cli.parsing.table import COMMAND_HELP, OPTIONS
from llmstream.record import Record

VALUES: Final = {
    "--color": ("auto", "always", "never"),
    "--events-version": ("v1", "v2"),
    "--reasoning": ("show", "hide"),
}
"""Options that take one of a few values."""
FILES: Final = frozenset({"--config", "--file", "-f", "--attach", "-a", "--schema"})
MODELS: Final = frozenset({"--model", "-m", "--fallback"})
WORDS: Final = {
    "completions": ("bash", "zsh", "fish", "powershell"),
    "schema": ("events", "config"),
}
"""Commands whose argument is one of a few words."""


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
    """Return all commands, the default one first."""
    from llmstream.cli.app import app

    made = [Node("", "", tuple(_default()), tuple(COMMAND_HELP)), Node("prompt", "", tuple(_default()))]
    commands = getattr(typer.main.get_command(app), "commands", {})
    for name, text in COMMAND_HELP.items():
        if name == "prompt":
            continue
        command = commands[name]
        inner = getattr(command, "commands", {})
        found = [*command.params, *(p for one in inner.values() for p in one.params)]
        options = {tuple(p.opts): p for p in found if p.param_type_name == "option"}
        choices = tuple(
            Choice(tuple(sorted(p.opts, key=len, reverse=True)), p.help or "", not p.is_flag)
            for p in options.values()
        )
        made.append(Node(name, text, choices, tuple(inner) or WORDS.get(name, ())))
    return made


def _default() -> list[Choice]:
    made = []
    for option in OPTIONS:
        names = [f"--{option.name}"] + ([f"-{option.short}"] if option.short else [])
        made.append(Choice(tuple(names), option.help, option.kind != "flag"))
        if option.off:
            made.append(Choice((f"--{option.off}",), option.help, False))
    return made


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
