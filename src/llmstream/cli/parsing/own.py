"""The options of commands other than the prompt."""

from __future__ import annotations

from typing import Final

from llmstream.cli.parsing.option import Option

OWN: Final[tuple[Option, ...]] = (
    Option(
        "json",
        "flag",
        "Print JSON Lines, one object per row",
        "",
        "command",
        commands=("models", "providers"),
    ),
    Option(
        "query",
        "text",
        "List only names that contain TEXT",
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
        "Store the key in a file that only you can read",
        "",
        "command",
        commands=("keys set",),
    ),
    Option(
        "all",
        "flag",
        "Show more columns: adapter, features, base URL",
        "",
        "command",
        commands=("providers",),
    ),
    Option(
        "verbose",
        "flag",
        "Show context, inputs and options, if the provider reports them",
        "",
        "command",
        "v",
        commands=("models",),
    ),
    Option("origin", "flag", "Show where each value comes from", "", "command", commands=("config show",)),
    Option("model", "text", "Show only this model's provider", "", "command", "m", commands=("config show",)),
    Option(
        "json",
        "flag",
        "Print JSON Lines, one object per run",
        "",
        "command",
        commands=("history list", "history show", "history search"),
    ),
    Option(
        "number",
        "int",
        "Show at most N runs, newest first (default 20)",
        "",
        "command",
        "n",
        metavar="N",
        commands=("history list", "history search"),
    ),
    Option(
        "since",
        "text",
        "Export only runs of this day or later",
        "",
        "command",
        metavar="DATE",
        commands=("history export",),
    ),
    Option(
        "older",
        "text",
        "Delete runs older than AGE: 90d, 12h, 2w",
        "",
        "command",
        metavar="AGE",
        commands=("history prune",),
    ),
    Option(
        "keep", "int", "Keep only the N newest runs", "", "command", metavar="N", commands=("history prune",)
    ),
    Option("all", "flag", "Delete all runs", "", "command", commands=("history prune",)),
    Option("yes", "flag", "Don't ask for confirmation", "", "command", "y", commands=("history prune",)),
    Option("json", "flag", "Print one JSON object with all checks", "", "command", commands=("doctor",)),
    Option("offline", "flag", "Don't connect to anything", "", "command", commands=("doctor",)),
)
