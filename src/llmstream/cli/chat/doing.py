"""The commands of a chat; each writes its reply on standard error and never ends the chat."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmstream.cli.chat.slash import listed, unknown
from llmstream.errors import UsageError
from llmstream.render.base import encode
from llmstream.render.guard import guarded, one_line

if TYPE_CHECKING:
    from llmstream.cli.chat.conversing import Conversing


class Doing:
    """Carries out the commands of one chat.

    Args:
        chat: the conversation.
    """

    def __init__(self, chat: Conversing) -> None:
        self._chat = chat
        self._saved: set[Path] = set()

    def do(self, name: str, text: str) -> int:
        """Carry out a command and return the exit status of its run, 0 if it had none.

        Args:
            name: the command, with its slash.
            text: what follows it.

        Raises:
            LLMStreamError: the command can't be carried out.
        """
        work = WORKS.get(name)
        if work is None:
            self._chat.say(unknown(name))
            return 0
        return work(self, text) or 0

    def _tell(self, text: str) -> None:
        self._chat.environment.err.write(encode(guarded(text)))

    def _help(self, text: str) -> None:
        self._tell(listed())

    def _model(self, text: str) -> None:
        if text:
            self._chat.model = text
        self._chat.say(f"model: {self._chat.model}")

    def _system(self, text: str) -> None:
        if text:
            self._chat.system = "" if text == "-" else text
        said = f"system prompt: {self._chat.system}" if self._chat.system else "no system prompt is set"
        self._chat.say(said)

    def _file(self, text: str) -> None:
        from llmstream.runnable.files import with_files

        if not text:
            raise UsageError("which file? type /file PATH")
        self._chat.files.append(with_files("", [text], self._chat.say))
        self._chat.say(f"{text} will be sent with the next turn")

    def _attach(self, text: str) -> None:
        from llmstream.runnable.files import attachments

        if not text:
            raise UsageError("which file? type /attach PATH_OR_URL")
        self._chat.attached += attachments([text])
        self._chat.say(f"{text} will be sent with the next turn")

    def _undo(self, text: str) -> None:
        said = self._chat.take_back()
        if said is None:
            self._chat.say("nothing to undo yet")
            return
        self._chat.say(f'undone: "{one_line(said[-1].content, 60)}"')

    def _retry(self, text: str) -> int:
        said = self._chat.take_back()
        if said is None:
            self._chat.say("nothing to retry yet")
            return 0
        return self._chat.send(said)

    def _edit(self, text: str) -> int:
        from llmstream.cli.running.editor import edited

        return self._chat.ask(edited(text, self._chat.environment.variables))

    def _copy(self, text: str) -> None:
        from llmstream.cli.running.clipboard import copy

        if not self._chat.exchanges:
            self._chat.say("no answer to copy yet")
            return
        problem = copy(guarded(self._chat.exchanges[-1].answer), self._chat.environment)
        self._chat.say(problem or "copied the last answer")

    def _save(self, text: str) -> None:
        if not text:
            raise UsageError("which file? type /save FILE")
        path = Path(text).expanduser().absolute()
        # a file that this chat has saved may be updated
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if path in self._saved else os.O_EXCL)
        try:
            with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                file.write(encode(self._written()))
        except FileExistsError as error:
            raise UsageError(f"{text} already exists") from error
        except (OSError, ValueError) as error:
            raise UsageError(f"can't write {text}: {getattr(error, 'strerror', None) or error}") from error
        self._saved.add(path)
        self._chat.say(f"wrote {text}")

    def _written(self) -> str:
        parts = [f"# System\n\n{self._chat.system}\n"] if self._chat.system else []
        for said, answer, _ in self._chat.exchanges:
            parts += [f"# You\n\n{message.content.rstrip()}\n" for message in said]
            parts.append(f"# Model\n\n{answer.rstrip()}\n")
        return "\n".join(parts)

    def _stats(self, text: str) -> None:
        from llmstream.render.stats import stats_line

        chat = self._chat
        if chat.last is not None:
            chat.environment.err.write(stats_line(chat.last, color=chat.environment.colored))
        totals = chat.totals
        answers = _counted(totals.turns, "answer")
        tokens = f"{totals.input_tokens} tokens in, {totals.output_tokens} tokens out"
        chat.say(f"this chat: {answers}, {tokens}; {_counted(len(chat.exchanges), 'turn')} in the context")

    def _clear(self, text: str) -> None:
        self._chat.clear()
        self._chat.say("started a new conversation")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


WORKS: Final[Mapping[str, Callable[[Doing, str], int | None]]] = {
    "/help": Doing._help,
    "/model": Doing._model,
    "/system": Doing._system,
    "/file": Doing._file,
    "/attach": Doing._attach,
    "/undo": Doing._undo,
    "/retry": Doing._retry,
    "/edit": Doing._edit,
    "/copy": Doing._copy,
    "/save": Doing._save,
    "/stats": Doing._stats,
    "/clear": Doing._clear,
}
"""All commands except /exit, which the loop handles."""
