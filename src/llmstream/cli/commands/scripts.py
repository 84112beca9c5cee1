"""`llmstream schema` and `llmstream completions`: output for other programs."""

from __future__ import annotations

import json
from pathlib import Path

from llmstream.cli.command import texts
from llmstream.cli.environment import Environment
from llmstream.errors import ConfigError, UsageError


@texts
def schema(environment: Environment, what: str) -> str:
    """Return the JSON Schema of a line of events, or of the configuration, as text."""
    if what == "events":
        from llmstream.render.jsonl import schema as events_schema

        return events_schema()
    if what == "config":
        from llmstream.config.file.schema import config_schema

        return json.dumps(config_schema(), indent=2) + "\n"
    raise UsageError(
        f"unknown schema {what!r}", hint="use llmstream schema events or llmstream schema config"
    )


@texts
def completions(environment: Environment, shell: str, of: str = "") -> str:
    """Return or install a shell's completion script, or return its key binding."""
    from llmstream.cli.parsing.shells import SHELLS, script

    if shell == "widget":
        return _widget(of)
    if shell == "install":
        return _install(environment, of or Path(environment.variables.get("SHELL", "")).name)
    if of:
        raise UsageError(f"too many arguments: {of}", hint=f"use llmstream completions {shell}")
    if shell not in SHELLS:
        raise UsageError(f"no completion script for {shell!r}", hint=f"choose from {', '.join(SHELLS)}")
    return script(shell)


def _install(environment: Environment, shell: str) -> str:
    """Write a script to the place where its shell looks for it; return a report for the user."""
    from llmstream.cli.parsing.placing import place
    from llmstream.cli.parsing.shells import MARK, script

    home = environment.variables.get("HOME")
    found = place(shell, Path(home), environment.variables) if home else None
    if found is None:
        raise UsageError(
            f"can't install completions for {shell or 'an unknown shell'}",
            hint="use llmstream completions install bash|zsh|fish; "
            "in PowerShell: llmstream completions powershell | Out-String | Invoke-Expression",
        )
    try:
        # an empty file is left by a write that failed
        text = found.path.read_text("utf-8", "replace") if found.path.exists() else ""
        if text and MARK not in text:
            raise UsageError(
                f"{found.path} exists and was not written by llmstream", hint="move it away and try again"
            )
        found.path.parent.mkdir(parents=True, exist_ok=True)
        found.path.write_text(script(shell), "utf-8")
    except OSError as error:
        raise ConfigError(f"can't write {found.path}: {error.strerror}") from error
    said = f"wrote {found.path}\n"
    if found.todo:
        said += f"add this line to {found.start} if it is not there yet:\n  {found.todo}\n"
    return said + f"completion works in new {shell} sessions\n"


def _widget(shell: str) -> str:
    from llmstream.cli.parsing.widgets import WIDGETS, widget

    if shell not in WIDGETS:
        message = f"no widget for {shell!r}" if shell else "no shell given for the widget"
        raise UsageError(message, hint=f"use llmstream completions widget {'|'.join(WIDGETS)}")
    return widget(shell)
