"""Where a shell looks for completion scripts, and what is left for the user to do after one was put there."""

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
"""Where bash-completion, which loads scripts by a command's name, is on most systems."""


class Place(NamedTuple):
    """A script's file.

    Args:
        path: the file.
        todo: a line for the user's own start-up file, empty when the shell finds the script by itself.
        start: that file.
    """

    path: Path
    todo: str
    start: str


def place(shell: str, home: Path, variables: Mapping[str, str]) -> Place | None:
    """Return where a shell's script belongs, None for a shell that has no such folder."""
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
