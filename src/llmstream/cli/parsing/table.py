"""All options of all commands as data, one row each: its type, its commands, its value's destination.

The help, the full parser (app.py), the quick parser that most runs use (argv.py), the shell
completions and the man page are made from the table.
"""

from __future__ import annotations

from typing import Final

from llmstream.cli.parsing.batch_rows import ROWS as BATCH_ROWS
from llmstream.cli.parsing.option import (
    ALL,
    ASK,
    LIMITS,
    MODEL,
    OTHER,
    OUTPUT,
    PROMPT,
    SAVE,
    SHAPE,
    TALK,
    Into,
    Kind,
    Option,
    Value,
    Values,
)
from llmstream.cli.parsing.own import OWN
from llmstream.cli.parsing.several import SEVERAL, SHARED

__all__ = ["ALL", "GLOBAL", "OPTIONS", "PROMPT", "Into", "Kind", "Option", "Value", "Values", "options_of"]

OPTIONS: Final[tuple[Option, ...]] = (
    Option(
        "model",
        "text",
        "PROVIDER/MODEL or alias [env: LLMSTREAM_MODEL]",
        MODEL,
        "plan",
        "m",
        commands=ASK,
    ),
    Option("system", "text", "System prompt", MODEL, "plan", "s", commands=ASK),
    Option("file", "path", "Text file to add to the prompt; - is stdin", MODEL, "plan", "f", many=True),
    Option(
        "attach",
        "path",
        "Image, audio file or PDF; path, URL or -",
        MODEL,
        "plan",
        "a",
        many=True,
        metavar="PATH_OR_URL",
    ),
    Option("continue", "flag", "Continue the last conversation", MODEL, "plan", "c", commands=TALK),
    Option(
        "session",
        "text",
        "Continue the conversation NAME, or start it",
        MODEL,
        "plan",
        metavar="NAME",
        commands=TALK,
    ),
    Option("no-history", "flag", "Keep this run out of the history", MODEL, "plan", commands=TALK),
    Option("template", "text", "Start from a template (a saved prompt)", MODEL, "plan", "t", metavar="NAME"),
    Option(
        "param",
        "text",
        "Value for {KEY} in the template",
        MODEL,
        "plan",
        "p",
        many=True,
        metavar="KEY=VALUE",
        commands=(PROMPT, SAVE),
    ),
    Option("edit", "flag", "Write the prompt in $VISUAL, $EDITOR or vi", MODEL, "plan", "e"),
    Option("no-stdin", "flag", "Don't read stdin, e.g. in a `while read` loop", MODEL, "plan"),
    Option(
        "option",
        "text",
        "Model option; VALUE is TOML, else plain text",
        SHAPE,
        "options",
        "o",
        many=True,
        metavar="KEY=VALUE",
        commands=ASK,
    ),
    Option(
        "temperature", "float", "Randomness; 0 picks the most likely token", SHAPE, "options", commands=ASK
    ),
    Option("max-tokens", "int", "Maximum number of tokens in the answer", SHAPE, "options", commands=ASK),
    Option("top-p", "float", "Nucleus sampling: probability mass, 0 to 1", SHAPE, "options", commands=ASK),
    Option("stop", "text", "Sequence that ends the answer", SHAPE, "options", many=True, commands=ASK),
    Option("seed", "int", "Seed for repeatable sampling", SHAPE, "options", commands=ASK),
    Option(
        "schema",
        "text",
        "Answer as JSON: schema, file or 'name, age int'",
        SHAPE,
        "options",
        metavar="SCHEMA",
        commands=ASK,
    ),
    Option("separator", "text", "Print TEXT after each chunk; escapes: \\n \\t \\0", OUTPUT, "output", "S"),
    Option("no-newline", "flag", "Don't add a final newline", OUTPUT, "output", "n"),
    Option(
        "extract",
        "flag",
        "Print only the first fenced code block",
        OUTPUT,
        "output",
        "x",
        commands=(PROMPT, SAVE),
    ),
    Option(
        "extract-last",
        "flag",
        "Print only the last fenced code block",
        OUTPUT,
        "output",
        commands=(PROMPT, SAVE),
    ),
    Option("copy", "flag", "Also copy the output to the clipboard", OUTPUT, "output"),
    Option("events", "flag", "Print events as JSON Lines", OUTPUT, "output"),
    Option(
        "events-version",
        "text",
        "Event format; implies --events",
        OUTPUT,
        "output",
        choices=("v1", "v2"),
    ),
    Option("steps", "flag", "Show a chain's own steps (adapter runnable)", OUTPUT, "plan"),
    Option("json", "flag", "Print one JSON object at the end", OUTPUT, "output"),
    Option(
        "reasoning",
        "text",
        "Thinking text on stderr",
        OUTPUT,
        "output",
        choices=("show", "hide"),
        commands=TALK,
    ),
    Option("stats", "flag", "Print TTFT, tokens/s and tokens on stderr", OUTPUT, "output"),
    Option(
        "md",
        "flag",
        "Render Markdown live (default on a terminal)",
        OUTPUT,
        "output",
        off="no-md",
        commands=TALK,
    ),
    Option("raw", "flag", "Pass control characters on to the terminal", OUTPUT, "output", commands=TALK),
    Option(
        "color",
        "text",
        "Colours: auto, always or never",
        OUTPUT,
        "surroundings",
        metavar="WHEN",
        choices=("auto", "always", "never"),
        commands=ALL,
    ),
    Option("quiet", "flag", "Print only errors on stderr", OUTPUT, "surroundings", "q", commands=ALL),
    Option("sync", "flag", "Engine that runs the stream; same output", OTHER, "plan", off="async"),
    Option("stream", "flag", "Stream the answer, or request it all at once", SHAPE, "plan", off="no-stream"),
    Option(
        "fallback",
        "text",
        "Model to ask if this one fails before a token",
        LIMITS,
        "plan",
        many=True,
        metavar="MODEL",
        commands=TALK,
    ),
    Option(
        "retries",
        "int",
        "Retries after the first attempt (default 2)",
        LIMITS,
        "limits",
        limit="retries",
        commands=TALK,
    ),
    Option(
        "timeout-connect",
        "float",
        "Seconds for DNS, TCP and TLS; 0 is no limit",
        LIMITS,
        "limits",
        metavar="S",
        limit="connect",
        commands=TALK,
    ),
    Option(
        "timeout-first",
        "float",
        "Seconds until the first token",
        LIMITS,
        "limits",
        metavar="S",
        limit="first_token",
        commands=TALK,
    ),
    Option(
        "timeout-idle",
        "float",
        "Seconds between two events",
        LIMITS,
        "limits",
        metavar="S",
        limit="idle",
        commands=TALK,
    ),
    Option(
        "timeout-total",
        "float",
        "Seconds for the whole run",
        LIMITS,
        "limits",
        metavar="S",
        limit="total",
        commands=TALK,
    ),
    Option(
        "config",
        "path",
        "Configuration file [env: LLMSTREAM_CONFIG]",
        OTHER,
        "surroundings",
        commands=ALL,
    ),
    Option("show-request", "flag", "Print the request as a curl command; don't send", OTHER, "plan"),
    Option("debug", "flag", "Show tracebacks", OTHER, "surroundings", commands=ALL),
    Option("version", "flag", "Print the version and exit", OTHER, "command"),
    Option("help", "flag", "Show this message and exit", OTHER, "command", "h"),
    *SEVERAL,
    *OWN,
    *BATCH_ROWS,
)
GLOBAL: Final = ("--config", "--color", "--debug", "--quiet", "-q")
"""Options that may also come before a command's name."""


def options_of(command: str) -> list[Option]:
    """Return the options of a command; except for the prompt's, its own come before the global ones."""
    shared_names = SHARED.get(command, frozenset())
    found = [
        option
        for option in OPTIONS
        if command in option.commands or (option.name in shared_names and PROMPT in option.commands)
    ]
    taken = {option.short for option in found}
    shared = [option for option in OPTIONS if option.commands == ALL and command != PROMPT]
    if command == PROMPT:
        return [option for option in OPTIONS if command in option.commands or option.commands == ALL]
    # -q is --query for `models`, as in `llm models`
    return [*found, *(one._replace(short="") if one.short in taken else one for one in shared)]
