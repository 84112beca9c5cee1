"""`llmstream schema` and `llmstream completions`: texts for other programs."""

from __future__ import annotations

import json

from llmstream.cli.command import texts
from llmstream.cli.environment import Environment
from llmstream.errors import UsageError


@texts
def schema(environment: Environment, what: str) -> str:
    """Print the JSON Schema of a line of events, or of the configuration."""
    if what == "events":
        from llmstream.render.jsonl import schema as events_schema

        return events_schema()
    if what == "config":
        from llmstream.config.file.schema import config_schema

        return json.dumps(config_schema(), indent=2) + "\n"
    raise UsageError(f"there is no schema of {what!r}", hint="llmstream schema events|config")


@texts
def completions(environment: Environment, shell: str, of: str = "") -> str:
    """Print a shell's completion script, to be saved where the shell looks for it, or its key binding."""
    from llmstream.cli.parsing.shells import SHELLS, script

    if shell == "widget":
        return _widget(of)
    if of:
        raise UsageError(f"{of!r} is one word too many", hint=f"llmstream completions {shell}")
    if shell not in SHELLS:
        raise UsageError(f"there is no completion script for {shell!r}", hint=f"known: {', '.join(SHELLS)}")
    return script(shell)


def _widget(shell: str) -> str:
    from llmstream.cli.parsing.widgets import WIDGETS, widget

    if shell not in WIDGETS:
        message = f"there is no widget for {shell!r}" if shell else "a widget is for one shell: which?"
        raise UsageError(message, hint=f"llmstream completions widget {'|'.join(WIDGETS)}")
    return widget(shell)
