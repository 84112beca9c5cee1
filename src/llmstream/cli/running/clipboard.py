"""Copy an answer to the clipboard: through the terminal (OSC 52), else with the first tool that works.

OSC 52 works over ssh and needs no tool.  Only this program writes it: without `--raw`, a model's
output never reaches a terminal as a control sequence.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from llmstream.errors import LLMStreamError
from llmstream.events import Event, TextDelta
from llmstream.render.base import Sink, encode
from llmstream.render.guard import guarded

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.render.base import Writer


class Tool(NamedTuple):
    """A program that copies its standard input to the clipboard.

    Args:
        command: the program and its arguments.
        display: the environment variable that it requires, empty for none.
    """

    command: tuple[str, ...]
    display: str = ""


TOOLS: Final = (
    Tool(("wl-copy",), "WAYLAND_DISPLAY"),
    Tool(("xclip", "-selection", "clipboard"), "DISPLAY"),
    Tool(("xsel", "--clipboard", "--input"), "DISPLAY"),
    Tool(("pbcopy",)),
    Tool(("clip.exe",)),
)
PATIENCE: Final = 3.0
"""Time limit for all tools together, in seconds."""
LONGEST: Final = 100_000
"""Most bytes of base64 that terminals accept; xterm and others silently drop more."""


def copy(text: str, environment: Environment) -> str | None:
    """Copy `text` to the clipboard; return an error message, None on success."""
    terminal = not environment.dumb
    if terminal and environment.out.isatty and _by_terminal(text, environment.out):
        return None
    problem = _by_tool(text, environment.variables)
    if problem is not None and terminal and environment.err.isatty and _by_terminal(text, environment.err):
        # the answer goes to a pipe, but the process still has a terminal
        return None
    return problem


def _by_terminal(text: str, writer: Writer) -> bool:
    from base64 import b64encode

    content = b64encode(encode(text))
    if len(content) > LONGEST:
        return False
    writer.write(b"\x1b]52;c;" + content + b"\x1b\\")
    return True


def _by_tool(text: str, variables: Mapping[str, str]) -> str | None:
    import shutil

    deadline = time.monotonic() + PATIENCE
    found = [tool for tool in TOOLS if shutil.which(tool.command[0], path=variables.get("PATH"))]
    # tools whose display is set come first
    found.sort(key=lambda tool: bool(tool.display) and not variables.get(tool.display))
    if not found:
        names = ", ".join(tool.command[0] for tool in TOOLS)
        return f"can't copy: no clipboard tool found (looked for {names})"
    problems = []
    for tool in found:
        problem = _ran(tool, text, variables, deadline - time.monotonic())
        if problem is None:
            return None
        problems.append(f"{tool.command[0]} {problem}")
    return f"can't copy: {'; '.join(problems)}"


def _ran(tool: Tool, text: str, variables: Mapping[str, str], seconds: float) -> str | None:
    try:
        # some tools stay in the background as the clipboard's owner, which would keep a pipe open
        status = subprocess.run(
            tool.command,
            input=encode(text),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=max(0.1, seconds),
            env=dict(variables),
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return "timed out"
    except OSError as error:
        return f"can't be run ({error.strerror})"
    return f"exited with status {status}" if status else None


class CopySink(Sink):
    """Copies the printed text at the end of the answer, unless the run failed or was stopped.

    Args:
        environment: the streams and variables.
        guard: whether control characters were shown as symbols, which are then copied.
    """

    def __init__(self, environment: Environment, *, guard: bool) -> None:
        self._environment = environment
        self._guard = guard
        self._texts: list[str] = []

    def write(self, batch: list[Event], at: float) -> None:
        """Collect the batch's text."""
        self._texts += [event.text for event in batch if isinstance(event, TextDelta)]

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Copy the text, and report a failure to do so."""
        text = "".join(self._texts)
        if error is not None or not text:
            return
        problem = copy(guarded(text) if self._guard else text, self._environment)
        if problem is not None:
            self._environment.say(f"warning: {problem}")
