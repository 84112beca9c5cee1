"""Every command, as data: its name, its arguments, and the function that carries it out."""

from __future__ import annotations

from typing import Final, NamedTuple

from llmstream.cli.parsing.table import PROMPT


class Command(NamedTuple):
    """One command.

    Args:
        name: as it is typed; of a command in a group both words, ``config show``.
        help: one line.
        home: ``module:function`` below `llmstream.cli.commands`; called with values, words and environment,
            it returns the exit status.
        arguments: as help shows them, in order: ``NAME``, ``[NAME]`` where it may be missing, ``[NAME]...``
            (the last one) for any number.
        words: what an argument may be, for completion; empty for anything.
    """

    name: str
    help: str
    home: str
    arguments: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def fewest(self) -> int:
        """How many words it needs."""
        return sum(not argument.startswith("[") for argument in self.arguments)

    @property
    def most(self) -> int | None:
        """How many words it takes, None for any number."""
        return None if any(one.endswith("...") for one in self.arguments) else len(self.arguments)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(PROMPT, "The default command, by its name", "prompt:run", ("[PROMPT]...",)),
    Command("compare", "Ask several models at once", "compare:run", ("[PROMPT]...",)),
    Command("replay", "Play a recording again", "replay:run", ("FILE",)),
    Command("bench", "Measure models under load", "bench:run", ("[PROMPT]...",)),
    Command(
        "batch",
        "Ask the prompts of a file, many at once",
        "batch:run",
        ("INPUT", "[PROMPT]..."),
    ),
    Command("models", "List the models of a provider, or of all", "listing:models", ("[PROVIDER]",)),
    Command("providers", "List the providers, and whether their keys are set", "listing:providers"),
    Command("pull", "Fetch a model to run in this process", "pull:pull", ("SOURCE",)),
    Command("chat", "Talk with a model, line by line", "chat:run"),
    Command("history list", "List the runs that were kept", "history:listed"),
    Command(
        "history show", "Show one run whole: the last, or that whose id begins so", "history:show", ("[ID]",)
    ),
    Command(
        "history search", "Find runs by words of the prompt or the answer", "history:found", ("TEXT...",)
    ),
    Command("history export", "Write all runs as JSON Lines", "history:export"),
    Command("history rm", "Remove runs", "history:remove", ("ID...",)),
    Command("history prune", "Remove old runs, all but the newest, or all", "history:prune"),
    Command("history path", "Print the path of the history's file", "history:path"),
    Command("history on", "Keep runs from now on", "history:switch_on"),
    Command("history off", "Keep no more runs; what was kept stays", "history:switch_off"),
    Command("template list", "List the saved prompts", "template:listed"),
    Command("template show", "Print a saved prompt's file", "template:show", ("NAME",)),
    Command(
        "template save", "Save a prompt with the options of a run", "template:save", ("NAME", "[PROMPT]...")
    ),
    Command("template edit", "Open a saved prompt in the editor, then check it", "template:edit", ("NAME",)),
    Command("template rm", "Remove a saved prompt", "template:remove", ("NAME",)),
    Command("template path", "Print the folder of the saved prompts", "template:path"),
    Command(
        "doctor",
        "Say what is wrong here, and what to do",
        "doctor:run",
        ("[PROVIDER]...",),
    ),
    Command("config path", "Print the configuration file's path", "config:path"),
    Command("config show", "Print the settings in effect; keys are masked", "config:show"),
    Command("config check", "Check the configuration file and list its problems", "config:check"),
    Command("config init", "Write a commented configuration file to begin with", "config:init"),
    Command("config edit", "Open the configuration file in $VISUAL or $EDITOR, then check it", "config:edit"),
    Command("config alias", "Give a model a short name", "config:alias", ("NAME", "MODEL")),
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
        "Print a shell's completion script, or install it",
        "scripts:completions",
        ("bash|zsh|fish|powershell|install|widget", "[SHELL]"),
        ("bash", "zsh", "fish", "powershell", "install", "widget"),
    ),
)
GROUPS: Final = {
    "history": "The runs that were kept: list, search, export",
    "template": "Save prompts and use them again",
    "config": "Show, check, make and edit the configuration",
    "keys": "Keep API keys in the system's keyring or in files",
}
"""First words of commands of two."""
DEFAULTS: Final = {"history": "history list", "template": "template list"}
"""What a group's name alone, or with options, stands for."""
BY_NAME: Final = {command.name: command for command in COMMANDS}


def first_words() -> dict[str, str]:
    """Return each command or group that may be a command line's first word, and its help."""
    found: dict[str, str] = {}
    for command in COMMANDS:
        first = command.name.split()[0]
        found.setdefault(first, GROUPS.get(first, command.help))
    return found
