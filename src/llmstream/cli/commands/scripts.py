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
def completions(environment: Environment, shell: str) -> str:
    """Print a shell's completion script, to be saved where the shell looks for it."""
    from llmstream.cli.parsing.shells import SHELLS, script

    if shell not in SHELLS:
        raise UsageError(f"there is no completion script for {shell!r}", hint=f"known: {', '.join(SHELLS)}")
    return script(shell)
