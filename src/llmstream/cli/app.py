"""The full parser, made from the tables: `--help`, and errors of lines that argv.py could not parse."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from llmstream.cli.exits import Exit
from llmstream.cli.parsing.commands import COMMANDS, GROUPS, Command
from llmstream.cli.parsing.help import placeholder
from llmstream.cli.parsing.near import as_prompt
from llmstream.cli.parsing.option import LARGEST
from llmstream.cli.parsing.table import PROMPT, Option, Values, options_of
from llmstream.errors import UsageError
from llmstream.nearest import nearest
from llmstream.render.notes import error_lines

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment

Given: TypeAlias = str | int | list[str] | None
"""An option's value as the parser gives it."""
TYPES: Final[dict[str, type]] = {"text": str, "int": int, "float": float, "flag": bool, "path": str}

REWORDED: Final = (
    (r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", "too many arguments: {}"),
    (r"No such command '(.*?)'\. Did you mean '(.*?)'\?", 'unknown command "{}"; did you mean {}?'),
    (r"No such command '(.*?)'\..*", 'unknown command "{}"'),
    (r"Missing argument '(.*)'\.", "missing argument: {}"),
    (r"Option '(.*)' requires an argument\.", "{} needs a value"),
    (r"Option '(.*)' does not take a value\.", "{} takes no value"),
    (
        r"Invalid value for '(.*?)'(?: / '.*?')?: '(.*)' is not a valid int\.",
        '{} must be a whole number, not "{}"',
    ),
    (
        r"Invalid value for '(.*?)'(?: / '.*?')?: '(.*)' is not a valid float\.",
        '{} must be a number, not "{}"',
    ),
    (
        r"Invalid value for '(.*?)'(?: / '.*?')?: '(.*)' is not one of (.*)",
        '{0} must be one of {2}, not "{1}"',
    ),
    (r"Invalid value for '(.*?)'(?: / '.*?')?: an empty path", "the path after {} is empty"),
    (r"Invalid value for '(.*?)'(?: / '.*?')?: too large", f"{{}} must be below {LARGEST}"),
)
"""The parser's messages and our wording of them."""
MAY_BE_PROMPTS: Final = ("NoSuchOption", "UsageError")
"""The parser's errors about a line that may be a prompt; the others are about an option that it knows."""


def parse_in_full(name: str, argv: Sequence[str], environment: Environment) -> tuple[Values, list[str]] | int:
    """Parse a command's line as the quick parser would, print help, or report an error.

    Args:
        name: the name of the command or group.
        argv: the arguments after the name.
        environment: where help and errors are written.

    Returns:
        Options and words; an exit status if help was printed or the line is not valid.
    """
    made, shown = _app(), StringIO()
    try:
        # it prints help, which is captured because the reader may have gone
        with redirect_stdout(shown):
            parsed = made([*name.split(), *argv], prog_name="llmstream", standalone_mode=False)
    except typer.Abort:
        return 130
    except Exception as error:
        # the parser's errors, whose class is in typer's private copy of click
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            environment.err.write(f"{error.format_message()}\n".encode())
            return Exit.USAGE
        kind = type(error).__name__
        hint = _hint(name, argv, prompt=kind in MAY_BE_PROMPTS)
        return _complain(environment, _said(error, error.format_message()), hint)
    return parsed if isinstance(parsed, tuple) else environment.show(_tidied(shown.getvalue()))


def _tidied(shown: str) -> str:
    """Return the parser's help in our style: no braces around arguments, no final period."""
    usage, blank, rest = shown.partition("\n\n")
    return re.sub(r"\{([A-Z.]+)\}", r"\1", usage) + blank + rest.replace(" and exit.\n", " and exit\n")


def _said(error: Exception, message: str) -> str:
    """Return our wording of a parser's error.

    Its suggestions for an unknown option are often too far-fetched, so they are filtered.
    """
    option = getattr(error, "option_name", None)
    guesses = getattr(error, "possibilities", None)
    if type(error).__name__ == "NoSuchOption" and isinstance(option, str):
        near = nearest(option.lstrip("-"), [str(guess).lstrip("-") for guess in guesses or ()])
        return f"unknown option {option}" + (f"; did you mean --{near}?" if near else "")
    for pattern, words in REWORDED:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return words.format(*found.groups())
    return message


def _complain(environment: Environment, message: str, hint: str) -> int:
    error = UsageError(message, hint=hint)
    width = environment.width_of(environment.err)
    environment.err.write(error_lines(error, color=environment.colored, width=width))
    return Exit.USAGE


def _hint(name: str, argv: Sequence[str], *, prompt: bool) -> str:
    """Return a hint with the command for help and, for a possible prompt, the command to send it."""
    lines = [f"see llmstream {'' if name == PROMPT else name + ' '}--help"]
    words = sum(not word.startswith("-") for word in argv)
    if prompt and (name == PROMPT or words > 1 or any(" " in word for word in argv)):
        lines.append(
            f"to send it as a prompt: {as_prompt(argv if name == PROMPT else [*name.split(), *argv])}"
        )
    return "\n".join(lines)


def _app() -> typer.Typer:
    """Return the parser with all commands, each of which only returns what was parsed."""
    app = _group("Stream a language model's answer.")
    groups = {name: _group(text) for name, text in GROUPS.items()}
    for name, group in groups.items():
        app.add_typer(group, name=name)
    for command in COMMANDS:
        first, _, second = command.name.partition(" ")
        place = groups[first] if second else app
        # --help is an option of our table, because the default command prints its own help
        own_help = command.name == PROMPT
        place.command(second or first, help=command.help, add_help_option=not own_help)(_parser(command))
    return app


def _group(text: str) -> typer.Typer:
    names = {"help_option_names": ["-h", "--help"]}
    app = typer.Typer(
        add_completion=False, rich_markup_mode=None, no_args_is_help=True, help=text, context_settings=names
    )
    app.callback()(lambda: None)
    return app


def _parser(command: Command) -> Callable[..., tuple[Values, list[str]]]:
    """Return a function with the command's parameters, for the parser, that returns its arguments."""
    meanings = dict(zip(command.arguments, command.meanings, strict=False))
    arguments = [_argument(number, text, meanings.get(text)) for number, text in enumerate(command.arguments)]
    options = [_option(option) for option in options_of(command.name)]

    def parsed(**values: object) -> tuple[Values, list[str]]:
        words: list[str] = []
        for argument in arguments:
            given = values.pop(argument.name)
            words += given if isinstance(given, list) else [str(given)] if given is not None else []
        kept = {key[1:]: value for key, value in values.items() if value is not None and value != []}
        return kept, words  # type: ignore[return-value]  # their types follow from the table

    parsed.__signature__ = inspect.Signature([*arguments, *options])  # type: ignore[attr-defined]  # read by inspect
    parsed.__annotations__ = {one.name: one.annotation for one in (*arguments, *options)}
    return parsed


def _argument(number: int, text: str, meaning: str | None) -> inspect.Parameter:
    """Return the parser's parameter for an argument: ``NAME``, ``[NAME]`` or ``[NAME]...``."""
    many, optional = text.endswith("..."), text.startswith("[")
    kind: object = list[str] | None if many else str | None if optional else str
    info = typer.Argument(metavar=text, help=meaning)
    default = None if optional else inspect.Parameter.empty
    return inspect.Parameter(
        f"word_{number}", inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info]
    )


def _option(option: Option) -> inspect.Parameter:
    """Return the parser's parameter for an option, with an annotation and a default."""
    kind = list[str] if option.many else TYPES[option.kind]
    names = [f"--{option.name}" + (f"/--{option.off}" if option.off else "")]
    names += [f"-{option.short}"] if option.short else []
    info = typer.Option(
        *names, help=option.help, metavar=placeholder(option) or None, callback=_checked(option)
    )
    return inspect.Parameter(
        # a key such as "continue" can't be a parameter's name
        f"_{option.key}",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, info],
    )


def _checked(option: Option) -> Callable[[Given], Given] | None:
    if not option.choices and option.kind not in ("path", "int"):
        return None

    def check(value: Given) -> Given:
        if option.choices and value is not None and value not in option.choices:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(option.choices)}")
        # from an unset variable in a script, for example; it would mean the current folder, or nothing
        if option.kind == "path" and (value == "" or (isinstance(value, list) and "" in value)):
            raise typer.BadParameter("an empty path")
        if isinstance(value, int) and not option.holds(value):
            raise typer.BadParameter("too large")
        return value

    return check
