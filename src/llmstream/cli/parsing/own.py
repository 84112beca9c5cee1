"""The options that only commands beside prompts take."""

from __future__ import annotations

from typing import Final

from llmstream.cli.parsing.option import Option

OWN: Final[tuple[Option, ...]] = (
    Option("json", "flag", "JSON Lines, one object a row", "", "command", commands=("models", "providers")),
    Option(
        "query",
        "text",
        "Only names that contain TEXT",
        "",
        "command",
        "q",
        metavar="TEXT",
        commands=("models",),
    ),
    Option(
        "refresh", "flag", "Ignore the cached list and fetch a new one", "", "command", commands=("models",)
    ),
    Option(
        "file",
        "flag",
        "In a file that only you can read, without a keyring",
        "",
        "command",
        commands=("keys set",),
    ),
    Option(
        "all", "flag", "More columns: adapter, what it can, address", "", "command", commands=("providers",)
    ),
    Option(
        "verbose",
        "flag",
        "Context, inputs and options, where the provider tells",
        "",
        "command",
        "v",
        commands=("models",),
    ),
    Option("origin", "flag", "Say where each value came from", "", "command", commands=("config show",)),
    Option("model", "text", "Only this model's provider", "", "command", "m", commands=("config show",)),
    Option(
        "json",
        "flag",
        "JSON Lines, one object a run",
        "",
        "command",
        commands=("history list", "history show", "history search"),
    ),
    Option(
        "number",
        "int",
        "How many runs at most, the newest first (20)",
        "",
        "command",
        "n",
        metavar="N",
        commands=("history list", "history search"),
    ),
    Option(
        "since",
        "text",
        "Only runs of this day or later",
        "",
        "command",
        metavar="DATE",
        commands=("history export",),
    ),
    Option(
        "older",
        "text",
        "Remove runs older than this: 90d, 12h, 2w",
        "",
        "command",
        metavar="AGE",
        commands=("history prune",),
    ),
    Option("keep", "int", "Keep the N newest runs", "", "command", metavar="N", commands=("history prune",)),
    Option("all", "flag", "Remove all runs", "", "command", commands=("history prune",)),
    Option("yes", "flag", "Don't ask", "", "command", "y", commands=("history prune",)),
    Option("json", "flag", "One JSON object with all checks", "", "command", commands=("doctor",)),
    Option("offline", "flag", "Make no connection", "", "command", commands=("doctor",)),
)
