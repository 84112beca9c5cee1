"""Detect prompts that are probably meant as a command: ``help``, ``version``, and mistyped names."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from llmstream.cli.parsing.commands import BY_NAME, COMMANDS, GROUPS, first_words
from llmstream.cli.parsing.table import GLOBAL, PROMPT, Values

HELP, VERSION = "help", "version"
MOST: Final = 3
"""Most words of a line that may be a mistyped command; longer ones are prompts."""
SHORTEST: Final = 4
"""Fewest letters of an abbreviated command name."""
OF_PROVIDERS: Final = ("models", "keys", "doctor")
"""Commands that may be followed by a provider's name."""


def help_asked(argv: Sequence[str], values: Values, words: Sequence[str]) -> str | None:
    """Find out whether the words ask for help or the version.

    Args:
        argv: the whole command line.
        values: its options, parsed as those of the default command.
        words: its words.

    Returns:
        The command or group whose help is wanted, PROMPT for the main help, ``version`` for the version,
        None for a prompt.
    """
    if not words or words[0] not in (HELP, VERSION) or "--" in argv or argv[0] == PROMPT:
        return None
    shared = {name.lstrip("-") for name in GLOBAL}
    if any(key not in shared for key in values):
        return None
    rest = " ".join(words[1:])
    if words[0] == VERSION:
        return VERSION if not rest else None
    return rest if rest in BY_NAME or rest in GROUPS else None if rest else PROMPT


def meant(argv: Sequence[str], words: Sequence[str]) -> str:
    """Return the command that a prompt's words probably mean, "" if they look like a prompt.

    Args:
        argv: the whole command line; if it contains ``--``, the words are a prompt.
        words: the prompt's words.
    """
    if not 0 < len(words) <= MOST or "--" in argv or argv[0] == PROMPT or not _one_word(words[0]):
        return ""
    from llmstream.nearest import typo_of

    first, rest = words[0], list(words[1:])
    names = [*first_words(), HELP, VERSION]
    name = typo_of(first, names)
    if name is None:
        starting = [one for one in names if len(first) >= SHORTEST and one.startswith(first.lower())]
        name = starting[0] if len(starting) == 1 else None
    # short words easily resemble each other
    if name is None or (len(first) <= SHORTEST and first[0].lower() != name[0]):
        return ""
    return " ".join([name, *rest]) if all(_known(name, word) for word in rest) else ""


def _one_word(text: str) -> bool:
    return text.replace("-", "").isalpha() and text.isascii() and 3 <= len(text) <= 16


def _known(name: str, word: str) -> bool:
    """Return whether a word may follow a command's name."""
    for command in COMMANDS:
        first, _, second = command.name.partition(" ")
        if first == name and word in (second, *command.words):
            return True
    if name == HELP:
        return word in first_words()
    if name in OF_PROVIDERS:
        from llmstream.adapters import catalogue

        return catalogue.known(word)
    return False


def as_prompt(argv: Sequence[str]) -> str:
    """Return the command line that sends these arguments as a prompt, with ``--`` after the options."""
    from llmstream.cli.parsing.argv import names

    spellings = names(PROMPT)
    before: list[str] = []
    rest = list(argv)
    while rest:
        option, _ = spellings.get(
            rest[0].partition("=")[0] if rest[0].startswith("--") else rest[0], (None, False)
        )
        if option is None:
            break
        before.append(rest.pop(0))
        if option.kind != "flag" and "=" not in before[-1] and rest:
            before.append(rest.pop(0))
    return shlex.join(["llmstream", *before, "--", *(word for word in rest if word != "--")])
