"""The commands of a chat, such as /retry: their names and arguments."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from llmstream.nearest import did_you_mean, quoted


class Slash(NamedTuple):
    """One command.

    Args:
        name: with its slash.
        takes: its argument, for help; empty if it has none.
        help: one line.
        completes: how its argument is completed: ``model``, ``path`` or "".
    """

    name: str
    takes: str
    help: str
    completes: str = ""


COMMANDS: Final = (
    Slash("/help", "", "List these commands"),
    Slash("/model", "[MODEL]", "Show the model, or switch to another one", "model"),
    Slash("/system", "[TEXT]", "Show the system prompt, or set it; - removes it"),
    Slash("/file", "PATH", "Add a text file to the next turn", "path"),
    Slash("/attach", "PATH_OR_URL", "Add an image, audio file or PDF to the next turn", "path"),
    Slash("/undo", "", "Undo the last turn"),
    Slash("/retry", "", "Send the last turn again"),
    Slash("/edit", "[TEXT]", "Write the next turn in an editor"),
    Slash("/copy", "", "Copy the last answer to the clipboard"),
    Slash("/save", "FILE", "Save the conversation as a Markdown file", "path"),
    Slash("/stats", "", "Show statistics of the last answer and this chat"),
    Slash("/clear", "", "Start a new conversation"),
    Slash("/exit", "", "Exit, like Ctrl-D"),
)
NAMES: Final = tuple(command.name for command in COMMANDS)


class Said(NamedTuple):
    """A line that was typed.

    Args:
        command: the command's name with its slash, empty for a turn.
        text: the command's argument, or the turn.
    """

    command: str
    text: str


def parsed(line: str) -> Said:
    """Return a line as a turn or a command; after a second slash it is a turn with one slash.

    Text of several lines, such as pasted text, is a turn even if it starts with a slash.
    """
    if line.startswith("//"):
        return Said("", line[1:])
    if not line.startswith("/") or "\n" in line:
        return Said("", line)
    name, _, rest = line.strip().partition(" ")
    return Said("/exit" if name == "/quit" else name, rest.strip())


def unknown(name: str) -> str:
    """Return the message about an unknown command."""
    guess = did_you_mean(name, NAMES)
    return f"unknown command {quoted(name)}{guess} (/help lists them; // sends a line that starts with /)"


def listed() -> str:
    """Return the text of /help."""
    heads = [f"{command.name} {command.takes}".rstrip() for command in COMMANDS]
    width = max(map(len, heads))
    lines = [f"  {head:<{width}}  {command.help}\n" for head, command in zip(heads, COMMANDS, strict=True)]
    more = "A line that ends with \\ continues on the next one.\nCtrl-C stops an answer, Ctrl-D exits.\n"
    return "".join(lines) + more


def completed(line: str, models: Callable[[], list[str]]) -> list[str]:
    """Return the possible completions of a line's last word.

    Args:
        line: the line up to the cursor.
        models: returns the known models as PROVIDER/MODEL.
    """
    if not line.startswith("/"):
        return []
    name, blank, rest = line.partition(" ")
    if not blank:
        return [known for known in NAMES if known.startswith(name)]
    kind = next((command.completes for command in COMMANDS if command.name == name), "")
    if kind == "model":
        return [model for model in models() if model.startswith(rest)]
    return _paths(rest.rpartition(" ")[2]) if kind == "path" else []


def _paths(word: str) -> list[str]:
    folder, name = os.path.split(word)
    try:
        found = sorted(Path(folder or ".").expanduser().iterdir())
    except (OSError, RuntimeError):
        return []
    before = word.removesuffix(name)
    return [before + one.name + "/" * one.is_dir() for one in found if one.name.startswith(name)]
