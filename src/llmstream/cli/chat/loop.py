"""The two loops of a chat: interactive on a terminal, and one turn per line from a pipe."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING, Final

from llmstream.cli.chat.conversing import Conversing
from llmstream.cli.exits import Exit
from llmstream.cli.signals import Interrupted
from llmstream.errors import LLMStreamError

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values

PIECE: Final = 1 << 16
CTRL_C: Final = 128 + signal.SIGINT


def converse(values: Values, environment: Environment) -> int:
    """Run a chat until the user leaves, and return the exit status.

    Raises:
        LLMStreamError: the options or the configuration are invalid, or a piped line is not text.
    """
    chat = Conversing(values, environment)
    try:
        return (_typed if os.isatty(environment.stdin) else _piped)(chat, environment)
    finally:
        chat.close()


def _piped(chat: Conversing, environment: Environment) -> int:
    """Answer each line of standard input; the first failure ends the chat."""
    from llmstream.cli.chat.line import piped_lines

    for line in piped_lines(partial(os.read, environment.stdin, PIECE)):
        status = chat.ask(line)
        if status:
            return status
    return Exit.OK


def _typed(chat: Conversing, environment: Environment) -> int:
    """Answer each typed turn; only the user, a signal, or an output closed by its reader ends the chat."""
    from llmstream.cli.chat.doing import Doing
    from llmstream.cli.chat.line import line_reader, whole_line
    from llmstream.cli.chat.slash import completed, parsed
    from llmstream.cli.chat.typed import TypedLines
    from llmstream.cli.running.talk import made_path
    from llmstream.config.lists.known import known_models

    lines = TypedLines((lambda: made_path().parent) if chat.keeps else None)
    complete = partial(completed, models=lambda: known_models(chat.settings))
    reader, doing = line_reader(environment, lines, complete), Doing(chat)
    chat.say(f"chat with {chat.model}; /help lists the commands, Ctrl-D exits")
    while True:
        environment.begin()
        try:
            said = parsed(whole_line(reader))
        except EOFError:
            environment.err.write(b"\n")
            return Exit.OK
        except KeyboardInterrupt as stop:
            if isinstance(stop, Interrupted) and stop.status != CTRL_C:
                raise
            environment.err.write(b"\n")
            continue
        if said.command == "/exit":
            return Exit.OK
        try:
            if said.command:
                status = doing.do(said.command, said.text)
            else:
                status = chat.ask(said.text) if said.text.strip() or chat.attached else 0
        except LLMStreamError as error:
            from llmstream.cli.running.outputs import report

            report(error, environment)
            continue
        if status in (Exit.READER_GONE, 128 + signal.SIGTERM, 129):
            return status
