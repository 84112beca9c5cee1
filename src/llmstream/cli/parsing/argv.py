"""Parse a command line without the command-line library, whose import takes a third of start-up time.

It knows only the tables of options and commands.  Whatever it can't parse with certainty (help, an
error, an abbreviation) it leaves to the full parser, which is made from the same tables and reports
errors.  A property test checks that both agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmstream.cli.parsing.commands import BY_NAME, DEFAULTS, GROUPS
from llmstream.cli.parsing.table import GLOBAL, PROMPT, Option, Value, Values, options_of


def names(command: str = PROMPT) -> dict[str, tuple[Option, bool]]:
    """Return a command's options by spelling, each with whether that spelling turns the option on."""
    found: dict[str, tuple[Option, bool]] = {}
    for option in options_of(command):
        found["--" + option.name] = (option, True)
        if option.short:
            found["-" + option.short] = (option, True)
        if option.off:
            found["--" + option.off] = (option, False)
    return found


def split(argv: Sequence[str]) -> tuple[str, list[str]]:
    """Split a command line into the command's name and its arguments.

    Only the first word can be a command's name; global options may come before it or between its two
    words, and are moved after it.

    Returns:
        The command's name and its arguments.  The name is that of a group if the line names none of its
        commands and it has no default, and PROMPT if the line doesn't start with a command.
    """
    before: list[str] = []
    group = ""
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word in GLOBAL or word.startswith(("--config=", "--color=")):
            # the long form, because -q is --query for `models`
            before.append("--quiet" if word == "-q" else word)
            if word in ("--config", "--color") and rest:
                before.append(rest.pop(0))
        elif group:
            name = f"{group} {word}"
            if group in DEFAULTS and word.startswith("-") and word not in ("-h", "--help"):
                return DEFAULTS[group], [*before, word, *rest]
            return (name, [*before, *rest]) if name in BY_NAME else (group, [word, *before, *rest])
        elif word in GROUPS:
            group = word
        elif word in BY_NAME:
            return word, [*before, *valued(rest, word)]
        else:
            break
    return (DEFAULTS.get(group, group), before) if group else (PROMPT, list(argv))


def valued(argv: Sequence[str], command: str) -> list[str]:
    """Replace each flag that has a value after ``=`` by the option that takes the value."""
    rows = {f"--{option.name}=": option.valued for option in options_of(command) if option.valued}
    found: list[str] = []
    for at, word in enumerate(argv):
        if word == "--":
            return [*found, *argv[at:]]
        name, equals, value = word.partition("=")
        row = rows.get(name + equals)
        found.append(f"--{row}={value}" if row else word)
    return found


def parse(argv: Sequence[str], command: str = PROMPT) -> tuple[Values, list[str]] | None:
    """Return the options and words of a command's arguments, None to leave them to the full parser."""
    if command not in BY_NAME:
        return None
    spellings = names(command)
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
    most = BY_NAME[command].most
    if len(words) < BY_NAME[command].fewest or (most is not None and len(words) > most):
        return None
    return values, words


def _put(values: Values, option: Option, value: Value) -> None:
    if not option.many:
        values[option.key] = value
        return
    given = values.setdefault(option.key, [])
    assert isinstance(given, list) and isinstance(value, str)
    given.append(value)


def _value(option: Option, text: str) -> Value:
    """Return the option's value, None if it isn't certainly valid."""
    if (option.choices and text not in option.choices) or (option.kind == "path" and not text):
        return None
    try:
        if option.kind == "int":
            number = int(text)
            return number if option.holds(number) else None
        if option.kind == "float":
            return float(text)
    except ValueError:
        return None
    return text
