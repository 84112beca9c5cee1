"""All commands as data: name, arguments, and the function that carries the command out."""

from __future__ import annotations

from typing import Final, NamedTuple

from llmstream.cli.parsing.table import PROMPT


class Command(NamedTuple):
    """One command.

    Args:
        name: as typed; both words for a command in a group, ``config show``.
        help: one line.
        home: ``module:function`` below `llmstream.cli.commands`; called with values, words and environment,
            it returns the exit status.
        arguments: as shown in help, in order: ``NAME``, ``[NAME]`` if optional, ``[NAME]...`` (only the
            last one) for any number.
        words: possible values of the first argument, for completion; empty for any.
        meanings: a line of help for each argument, in order; may be shorter than `arguments`.
    """

    name: str
    help: str
    home: str
    arguments: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    meanings: tuple[str, ...] = ()

    @property
    def fewest(self) -> int:
        """Fewest words that it needs."""
        return sum(not argument.startswith("[") for argument in self.arguments)

    @property
    def most(self) -> int | None:
        """Most words that it accepts, None for any number."""
        return None if any(one.endswith("...") for one in self.arguments) else len(self.arguments)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(PROMPT, "Ask a model (the default command)", "prompt:run", ("[PROMPT]...",)),
    Command("compare", "Ask several models the same prompt", "compare:run", ("[PROMPT]...",)),
    Command(
        "replay", "Replay a recording", "replay:run", ("FILE",), (), ("Made by --record, or a VCR cassette",)
    ),
    Command("bench", "Measure models under load", "bench:run", ("[PROMPT]...",)),
    Command(
        "batch",
        "Run many prompts from a file in parallel",
        "batch:run",
        ("INPUT", "[PROMPT]..."),
        meanings=(
            "JSON Lines, lines of text, or CSV (.csv) with a header; - is stdin",
            "Prompt with fields to fill from each line: {line} or {COLUMN}",
        ),
    ),
    Command("models", "List the models of a provider, or of all of them", "listing:models", ("[PROVIDER]",)),
    Command("providers", "List the providers and whether their keys are set", "listing:providers"),
    Command(
        "pull",
        "Download a model to run locally",
        "pull:pull",
        ("SOURCE",),
        (),
        ("smollm2, hf:OWNER/REPO[:FILE], a URL or the path of a GGUF file",),
    ),
    Command("chat", "Chat with a model", "chat:run"),
    Command("history list", "List past runs", "history:listed"),
    Command(
        "history show",
        "Show a run in full: the last one, or the one with this id",
        "history:show",
        ("[ID]",),
        (),
        ("Id of a run, or enough of its start to be unique",),
    ),
    Command("history search", "Search the prompts and answers of past runs", "history:found", ("TEXT...",)),
    Command("history export", "Export all runs as JSON Lines", "history:export"),
    Command(
        "history rm",
        "Delete runs",
        "history:remove",
        ("ID...",),
        (),
        ("Ids of runs, or enough of their start to be unique",),
    ),
    Command("history prune", "Delete old runs, all but the newest, or all", "history:prune"),
    Command("history path", "Print the path of the history file", "history:path"),
    Command("history on", "Start keeping runs", "history:switch_on"),
    Command("history off", "Stop keeping runs; those already kept stay", "history:switch_off"),
    Command("template list", "List the templates", "template:listed"),
    Command("template show", "Print a template's file", "template:show", ("NAME",)),
    Command(
        "template save",
        "Save a prompt and its options as a template",
        "template:save",
        ("NAME", "[PROMPT]..."),
    ),
    Command("template edit", "Open a template in the editor, then check it", "template:edit", ("NAME",)),
    Command("template rm", "Delete a template", "template:remove", ("NAME",)),
    Command("template path", "Print the path of the template folder", "template:path"),
    Command(
        "doctor",
        "Check the setup and say how to fix problems",
        "doctor:run",
        ("[PROVIDER]...",),
        meanings=(
            "Providers to check; without any: the default, the configured, those with a key variable set",
        ),
    ),
    Command("config path", "Print the path of the configuration file", "config:path"),
    Command("config show", "Print the settings in effect; keys are masked", "config:show"),
    Command("config check", "Check the configuration file and list any problems", "config:check"),
    Command("config init", "Write a commented configuration file to start from", "config:init"),
    Command("config edit", "Open the configuration file in $VISUAL or $EDITOR, then check it", "config:edit"),
    Command(
        "config alias",
        "Define a short name for a model",
        "config:alias",
        ("NAME", "MODEL"),
        (),
        ("The short name", "PROVIDER/MODEL or PROVIDER"),
    ),
    Command(
        "keys set",
        "Store a provider's key, typed or piped in",
        "keys:set_key",
        ("PROVIDER",),
    ),
    Command("keys list", "List the providers that have a stored key", "keys:list_keys"),
    Command("keys delete", "Delete a provider's stored key", "keys:delete_key", ("PROVIDER",)),
    Command(
        "schema",
        "Print the JSON Schema of events or configuration",
        "scripts:schema",
        ("events|config",),
        ("events", "config"),
    ),
    Command(
        "completions",
        "Print a shell's completion script or install it",
        "scripts:completions",
        ("bash|zsh|fish|powershell|install|widget", "[SHELL]"),
        ("bash", "zsh", "fish", "powershell", "install", "widget"),
    ),
)
GROUPS: Final = {
    "history": "List, search and export past runs",
    "template": "Save prompts as templates and reuse them",
    "config": "Show, check, create and edit the configuration",
    "keys": "Store API keys in the system keyring or in files",
}
"""First words of two-word commands, with their help."""
DEFAULTS: Final = {"history": "history list", "template": "template list"}
"""Commands for a group's name without a second word."""
BY_NAME: Final = {command.name: command for command in COMMANDS}


def first_words() -> dict[str, str]:
    """Return the help of each command and group, by the first word of a command line."""
    found: dict[str, str] = {}
    for command in COMMANDS:
        first = command.name.split()[0]
        found.setdefault(first, GROUPS.get(first, command.help))
    return found
