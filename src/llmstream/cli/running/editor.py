"""Run the user's editor on a file, or on a text that becomes a prompt."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from llmstream.errors import ConfigError, UsageError

EMPTY: Final = """\
write the prompt into the file, save it, then close the editor
if the editor opens its own window, make it wait, for example EDITOR="code --wait\""""


def editor_of(variables: Mapping[str, str]) -> str:
    """Return the command line of the editor: $VISUAL, $EDITOR, else vi (notepad on Windows)."""
    default = "notepad" if sys.platform == "win32" else "vi"
    return variables.get("VISUAL") or variables.get("EDITOR") or default


def edit_file(path: Path, variables: Mapping[str, str]) -> None:
    """Run the editor on a file and wait until it exits.

    Raises:
        ConfigError: the editor can't be run, or it failed.
    """
    import subprocess

    command = editor_of(variables)
    terminal = None if os.isatty(0) else _terminal()
    # Ctrl-C is for the editor while it runs
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        words = [*shlex.split(command), str(path)]
        status = subprocess.run(words, stdin=terminal, env=dict(variables), check=False).returncode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f'can\'t run the editor "{command}": {reason}',
            hint="set EDITOR to an editor, for example EDITOR=nano",
        ) from error
    finally:
        signal.signal(signal.SIGINT, before)
        if terminal is not None:
            os.close(terminal)
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
        raise ConfigError(f'the editor "{command}" {how}')


def _terminal() -> int | None:
    """Return a descriptor of the terminal for the editor's standard input, None to pass on ours."""
    try:
        return os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return None


def edited(text: str, variables: Mapping[str, str]) -> str:
    """Let the user edit a text; return it without newlines at its end.

    The file, in the folder for temporary files, is readable by the user alone and removed afterwards.

    Raises:
        ConfigError: the editor can't be run, or it failed.
        UsageError: afterwards the file is empty, deleted, or not UTF-8.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="llmstream-") as folder:
        path = Path(folder) / "prompt.md"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
        edit_file(path, variables)
        try:
            found = path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise UsageError(f"can't read the edited prompt: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise UsageError("the edited prompt is not UTF-8 text") from error
    if not found.strip():
        raise UsageError("the prompt is empty", hint=EMPTY)
    return found.rstrip("\r\n")
