"""The full parser: all commands, and what is wrong with a command line that the quick one left alone."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import typer

from llmstream.cli.commands import config, keys, listing, pull, scripts
from llmstream.cli.exits import Exit
from llmstream.cli.parsing.table import COMMAND_HELP, GLOBAL, OPTIONS, RESERVED, Option

TYPES: Final[dict[str, type]] = {"text": str, "int": int, "float": float, "flag": bool, "path": str}

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(argv: Sequence[str]) -> int:
    """Parse a command line and run its command.

    Returns:
        The exit status.
    """
    argv = _names_first(argv)
    if argv[0] in RESERVED:
        return _complain(
            f"{argv[0]!r} is reserved for a command of a later version",
            f"to prompt with that word: llmstream -- {argv[0]}",
        )
    try:
        status = app(list(argv), prog_name="llmstream", standalone_mode=False)
    except typer.Abort:
        return 130
    except Exception as error:
        # the parser's own errors, whose class lives in the library's private copy of click
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            sys.stderr.write(error.format_message() + "\n")
            return Exit.USAGE
        return _complain(error.format_message(), _help_of(argv[0]))
    return status if isinstance(status, int) else 0


def _names_first(argv: Sequence[str]) -> list[str]:
    """Return the command line with options that stand before or within a command's names behind them."""
    names: list[str] = []
    before: list[str] = []
    rest = list(argv)
    while rest and (not names or names[-1] in GROUPS):
        word = rest.pop(0)
        if word not in GLOBAL and not word.startswith(("--config=", "--color=")):
            names.append(word)
            continue
        # of `models` the letter alone is a query
        before.append("--quiet" if word == "-q" else word)
        if word in ("--config", "--color") and rest:
            before.append(rest.pop(0))
    return names if names[-1] in GROUPS else [*names, *before, *rest]


def _complain(message: str, hint: str) -> int:
    from llmstream.cli.environment import Environment
    from llmstream.errors import UsageError
    from llmstream.render.notes import error_lines

    environment = Environment.of_process()
    environment.err.write(error_lines(UsageError(message, hint=hint), color=environment.colored))
    return Exit.USAGE


def _help_of(command: str) -> str:
    return f"llmstream {'' if command == 'prompt' else command + ' '}--help lists what there is"


def _parameter(option: Option) -> inspect.Parameter:
    """Return an option as the parser wants it: a parameter with an annotation and a default."""
    kind = list[str] if option.many else TYPES[option.kind]
    names = [f"--{option.name}" + (f"/--{option.off}" if option.off else "")]
    names += [f"-{option.short}"] if option.short else []
    info = typer.Option(*names, help=option.help, metavar=option.metavar or None, callback=_checked(option))
    return inspect.Parameter(
        option.key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, info]
    )


def _checked(option: Option) -> Callable[[str | None], str | None] | None:
    if not option.choices:
        return None

    def check(value: str | None) -> str | None:
        if value is not None and value not in option.choices:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(option.choices)}")
        return value

    return check


def prompt(**values: object) -> int:
    """Stream a model's answer."""
    from llmstream.cli import prompted

    words = values.pop("words") or []
    assert isinstance(words, list)
    return prompted({k: v for k, v in values.items() if v is not None and v != []}, words)  # type: ignore[misc]


_words = inspect.Parameter(
    "words",
    inspect.Parameter.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[list[str] | None, typer.Argument(metavar="[PROMPT]...")],
)
_parameters = [_words, *map(_parameter, OPTIONS)]
prompt.__signature__ = inspect.Signature(_parameters)  # type: ignore[attr-defined]  # what inspect reads
prompt.__annotations__ = {parameter.name: parameter.annotation for parameter in _parameters}

# --help is an option of the table: the default command prints it in its own way
app.command("prompt", help=COMMAND_HELP["prompt"], add_help_option=False)(prompt)
COMMANDS: Final[dict[str, Callable[..., int]]] = {
    "models": listing.models,
    "providers": listing.providers,
    "pull": pull.pull,
    "schema": scripts.schema,
    "completions": scripts.completions,
}
for _name, _command in COMMANDS.items():
    app.command(_name, help=COMMAND_HELP[_name])(_command)
GROUPS: Final = {"config": config.app, "keys": keys.app}
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name, help=COMMAND_HELP[_name])


@app.callback()
def root() -> None:
    """Stream a language model's tokens; `llmstream --help` is about prompts."""
