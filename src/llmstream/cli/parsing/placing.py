"""Where each shell looks for completion scripts, and what the user must do after installing one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

LOADERS: Final = (
    "/usr/share/bash-completion/bash_completion",
    "/etc/bash_completion",
    "/usr/local/etc/profile.d/bash_completion.sh",
    "/opt/homebrew/etc/profile.d/bash_completion.sh",
)
"""Usual paths of bash-completion, which loads a script by its command's name."""


class Place(NamedTuple):
    """A script's file.

    Args:
        path: the file.
        todo: a line to add to the shell's start-up file, empty if the shell finds the script without it.
        start: the start-up file.
    """

    path: Path
    todo: str
    start: str


def place(shell: str, home: Path, variables: Mapping[str, str]) -> Place | None:
    """Return the place of a shell's script, None for a shell that has no folder for them."""
    if shell == "bash":
        data = Path(variables.get("XDG_DATA_HOME") or home / ".local" / "share")
        folder = Path(variables.get("BASH_COMPLETION_USER_DIR") or data / "bash-completion")
        path = folder / "completions" / "llmstream"
        found = any(Path(one).exists() for one in LOADERS)
        return Place(path, "" if found else f'source "{path}"', "~/.bashrc")
    if shell == "zsh":
        folder = Path(variables.get("ZDOTDIR") or home) / ".zfunc"
        todo = f'fpath=("{folder}" $fpath); autoload -Uz compinit; compinit'
        return Place(folder / "_llmstream", todo, "~/.zshrc")
    if shell == "fish":
        settings = Path(variables.get("XDG_CONFIG_HOME") or home / ".config")
        return Place(settings / "fish" / "completions" / "llmstream.fish", "", "")
    return None
