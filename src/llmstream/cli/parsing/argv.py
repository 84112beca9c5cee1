"""Reads a command line without the command-line library, which takes a third of a whole run's start.

It knows the table of options and nothing else: whatever it is not sure of (help, a mistake, an
abbreviation) it leaves to the full parser, which is made from the same table and says what is
wrong.  A property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmstream.cli.parsing.table import COMMANDS, GLOBAL, OPTIONS, RESERVED, Option, Value, Values


def names() -> dict[str, tuple[Option, bool]]:
    """Return each option's spellings with dashes, and whether that spelling switches it on."""
    found: dict[str, tuple[Option, bool]] = {}
    for option in OPTIONS:
        found["--" + option.name] = (option, True)
        if option.short:
            found["-" + option.short] = (option, True)
        if option.off:
            found["--" + option.off] = (option, False)
    return found


def command_in(argv: Sequence[str]) -> str | None:
    """Return the command that a command line names, None when it is a prompt.

    A command's name is one only as the first word; options that every command takes may precede it.
    """
    words = iter(argv)
    for word in words:
        if word in GLOBAL:
            if word in ("--config", "--color"):
                next(words, None)
        elif not word.startswith(("--config=", "--color=")):
            return word if word in COMMANDS or word in RESERVED else None
    return None


def parse(argv: Sequence[str]) -> tuple[Values, list[str]] | None:
    """Return options and words of a prompt's command line, None to leave it to the full parser."""
    spellings = names()
    values: Values = {}
    words: list[str] = []
    rest = iter(argv)
    for argument in rest:
        if argument == "--":
            words += rest
            break
        if not argument.startswith("-") or argument == "-":
            words.append(argument)
            continue
        name, equals, text = argument.partition("=") if argument.startswith("--") else (argument, "", "")
        option, on = spellings.get(name, (None, False))
        if option is None:
            return None
        if option.kind == "flag":
            if equals:
                return None
            values[option.key] = on
            continue
        if not equals:
            following = next(rest, None)
            if following is None:
                return None
            text = following
        value = _value(option, text)
        if value is None:
            return None
        _put(values, option, value)
    return values, words


def _put(values: Values, option: Option, value: Value) -> None:
    if not option.many:
        values[option.key] = value
        return
    given = values.setdefault(option.key, [])
    assert isinstance(given, list) and isinstance(value, str)
    given.append(value)


def _value(option: Option, text: str) -> Value:
    """Return the option's value, None when it is not surely one."""
    if option.choices and text not in option.choices:
        return None
    try:
        if option.kind == "int":
            return int(text)
        if option.kind == "float":
            return float(text)
    except ValueError:
        return None
    return text
