"""Prompts that look like a mistyped command: a note, or a question if sending it costs money."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from llmstream.errors import UsageError
from llmstream.render.notes import note_line

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.runnable.targets import Target


def confirm(environment: Environment, target: Target, say: Callable[[str], None]) -> None:
    """Name the command that was probably meant; on a terminal, ask before sending to a paid model.

    Args:
        environment: its `meant` is the command.
        target: the model to send the prompt to.
        say: writes a note.

    Raises:
        UsageError: the user doesn't want to send it.
    """
    command = f"llmstream {environment.meant}"
    paid = target.endpoint.api_key is not None or target.unlock is not None
    if not (paid and environment.err.isatty and os.isatty(environment.stdin)):
        say(f"sent as a prompt; did you mean `{command}`?")
        return
    name = f"{target.endpoint.provider}/{target.endpoint.model}"
    width = environment.width_of(environment.err)
    question = note_line(f"did you mean `{command}`? Send it to {name} as a prompt? [y/N]", width=width)
    environment.err.write(question.rstrip(b"\n") + b" ")
    answer = os.read(environment.stdin, 1024).decode("utf-8", "replace").strip().lower()
    if answer not in ("y", "yes"):
        raise UsageError("not sent", hint=f"run `{command}`, or to send it as a prompt: llmstream -- ...")
