"""The default command's options, as data.

One table makes the help, the full parser, the shell completions, and the quick parser that most
runs get along with (argv.py).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["text", "int", "float", "flag", "path"]
Value: TypeAlias = str | int | float | bool | list[str] | None
Values: TypeAlias = dict[str, Value]


class Option(NamedTuple):
    """One option.

    Args:
        name: the long one without dashes, which is also its key in Values, dashes as underscores.
        kind: of its value; a flag takes none.
        help: one line.
        panel: the heading under which help shows it.
        short: letter, empty for none.
        off: the long name that switches a flag off, empty for none.
        many: it may be given again, its values become a list.
        choices: the values it takes, empty for any.
        metavar: what help calls its value.
    """

    name: str
    kind: Kind
    help: str
    panel: str
    short: str = ""
    off: str = ""
    many: bool = False
    choices: tuple[str, ...] = ()
    metavar: str = ""

    @property
    def key(self) -> str:
        """Its key in Values."""
        return self.name.replace("-", "_")


MODEL, SHAPE, OUTPUT, LIMITS, OTHER = (
    "Model and prompt",
    "How the model answers",
    "Output",
    "Limits and failures",
    "Configuration and diagnosis",
)

OPTIONS: Final[tuple[Option, ...]] = (
    Option("model", "text", "PROVIDER/MODEL, PROVIDER or an alias [env: LLMSTREAM_MODEL]", MODEL, "m"),
    Option("system", "text", "System prompt", MODEL, "s"),
    Option("file", "path", "Text file added to the prompt under its name", MODEL, "f", many=True),
    Option(
        "attach",
        "path",
        "Image, audio or PDF; a path or an address",
        MODEL,
        "a",
        many=True,
        metavar="PATH_OR_URL",
    ),
    Option("no-stdin", "flag", "Leave standard input alone", MODEL),
    Option(
        "option",
        "text",
        "Model option; VALUE is read as TOML, else text",
        SHAPE,
        "o",
        many=True,
        metavar="KEY=VALUE",
    ),
    Option("temperature", "float", "Randomness, 0 for the most likely token", SHAPE),
    Option("max-tokens", "int", "Most tokens of the answer", SHAPE),
    Option("top-p", "float", "Nucleus sampling mass, 0 to 1", SHAPE),
    Option("stop", "text", "Sequence that ends the answer", SHAPE, many=True),
    Option("seed", "int", "For repeatable sampling", SHAPE),
    Option("schema", "text", "Answer as JSON by this JSON Schema", SHAPE, metavar="JSON_OR_FILE"),
    Option("separator", "text", "Print TEXT after every chunk", OUTPUT, "S"),
    Option("no-newline", "flag", "Add no final newline", OUTPUT, "n"),
    Option("events", "flag", "JSON Lines of events on standard output", OUTPUT),
    Option("events-version", "text", "Form of the events; implies --events", OUTPUT, choices=("v1", "v2")),
    Option("json", "flag", "One JSON object at the end", OUTPUT),
    Option("reasoning", "text", "Thinking text on standard error", OUTPUT, choices=("show", "hide")),
    Option("stats", "flag", "One line on standard error: TTFT, tokens/s, tokens", OUTPUT),
    Option("raw", "flag", "Send control characters to the terminal as they are", OUTPUT),
    Option("color", "text", "Colours on standard error", OUTPUT, choices=("auto", "always", "never")),
    Option("quiet", "flag", "Errors only on standard error", OUTPUT, "q"),
    Option("sync", "flag", "Which engine carries the stream; same output", OTHER, off="async"),
    Option("stream", "flag", "Stream, or ask for the answer whole", SHAPE, off="no-stream"),
    Option(
        "fallback",
        "text",
        "Next model when this one fails before its first chunk",
        LIMITS,
        many=True,
        metavar="MODEL",
    ),
    Option("retries", "int", "Attempts after the first", LIMITS),
    Option("timeout-connect", "float", "Seconds for name, TCP and TLS; 0 for none", LIMITS),
    Option("timeout-first", "float", "Seconds to the first token", LIMITS),
    Option("timeout-idle", "float", "Seconds from one event to the next", LIMITS),
    Option("timeout-total", "float", "Seconds for the whole run", LIMITS),
    Option("config", "path", "Configuration file [env: LLMSTREAM_CONFIG]", OTHER),
    Option("show-request", "flag", "Print the request as a curl command, send nothing", OTHER),
    Option("debug", "flag", "Show tracebacks of errors", OTHER),
    Option("version", "flag", "Print the version", OTHER),
    Option("help", "flag", "Print this text", OTHER, "h"),
)

COMMAND_HELP: Final = {
    "prompt": "The default command, by its name",
    "models": "List the models of a provider",
    "providers": "List the providers, and whether their keys are there",
    "pull": "Fetch a model to run in this process",
    "config": "Show, check, make and edit the configuration",
    "keys": "Keep API keys in the system's keyring",
    "schema": "Print the JSON Schema of events or of the configuration",
    "completions": "Print a shell's completion script",
}
COMMANDS: Final = tuple(COMMAND_HELP)
"""The commands beside the default one; `prompt` is the default one's name."""
RESERVED: Final = ("chat", "compare", "batch", "bench", "replay", "history", "template", "doctor")
"""Commands of later versions: a first word that would change its meaning is refused now."""
GLOBAL: Final = ("--config", "--color", "--debug", "--quiet", "-q")
"""Options that may also stand before a command's name."""
