"""Standard input, read once and to its end, and the prompt's text from it and the command line's words."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Sequence
from typing import Final

from llmstream.errors import UsageError

PATIENCE: Final = 3.0
"""Seconds of silence after which a hint says what is awaited."""
LONGEST: Final = 64 * 1024 * 1024
"""Bytes that are read; a stream without end would fill the memory."""
PLACE: Final = "{stdin}"
WHERE: Final = "standard input"


class StandardInput:
    """Standard input of one run.

    Args:
        descriptor: its file descriptor.
        say: tells the user what is awaited.
        use: False to leave it alone.
    """

    def __init__(self, descriptor: int, say: Callable[[str], None], *, use: bool = True) -> None:
        self._descriptor = descriptor
        self._say = say
        self._use = use
        self._taken = ""
        self.terminal = os.isatty(descriptor)

    @property
    def piped(self) -> bool:
        """Whether the prompt may come from it: it is wanted, not a terminal, and no option has taken it."""
        return self._use and not self.terminal and not self._taken

    @property
    def typed(self) -> bool:
        """Whether somebody could type the prompt."""
        return self._use and self.terminal and not self._taken

    def close(self) -> None:
        """Leave it alone from now on."""
        self._use = False

    @property
    def taken(self) -> str:
        """The option that has taken it, empty for none."""
        return self._taken

    def take(self, option: str) -> bytes:
        """Return all of it for an option such as ``-f -``.

        Raises:
            UsageError: it is left alone, or was taken already.
        """
        if not self._use:
            raise UsageError(f"{option} - reads standard input, which --no-stdin forbids")
        if self._taken:
            raise UsageError(f"standard input can be read only once, and {self._taken} - already reads it")
        self._taken = option
        if self.terminal:
            self.tell_how_to_end("text")
        return self.read()

    def tell_how_to_end(self, what: str = "prompt") -> None:
        """Say how what is typed on a terminal ends."""
        self._say(f"type the {what}, then press Ctrl-D on a new line")

    def text(self) -> str:
        """Return all of it as text.

        Raises:
            UsageError: it is binary, too long, or can't be read.
        """
        from llmstream.runnable.files import text_of

        return text_of(self.read(), WHERE, self._say)

    def read(self) -> bytes:
        """Return all of it, with a hint when nothing comes for a while."""
        if not self.terminal:
            if not _readable(self._descriptor):
                return b""
            self._await()
        parts, length = [], 0
        while part := self._some():
            parts.append(part)
            length += len(part)
            if length > LONGEST:
                raise UsageError(f"standard input is larger than the {LONGEST >> 20} MiB limit")
        return b"".join(parts)

    def _await(self) -> None:
        try:
            ready = select.select([self._descriptor], [], [], PATIENCE)[0]
        except (OSError, ValueError):  # Windows takes only sockets here
            return
        if not ready:
            self._say("waiting for standard input to end; to ignore it, pass --no-stdin")

    def _some(self) -> bytes:
        while True:
            try:
                return os.read(self._descriptor, 1 << 20)
            except BlockingIOError:
                # a parent such as Node hands down a pipe in non-blocking mode
                select.select([self._descriptor], [], [])
            except OSError as error:
                raise UsageError(f"can't read standard input: {error.strerror}") from error


def _readable(descriptor: int) -> bool:
    """Return whether a descriptor is open for reading; what nohup puts there is not."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_WRONLY
    except OSError:
        return False


def prompt_text(words: Sequence[str], source: StandardInput, *, more: bool = False) -> str:
    """Return the prompt's text.

    Args:
        words: of the command line; ``-`` alone stands for standard input.
        source: standard input; an option may have taken it.
        more: something else is in the prompt, so that its text may be empty.

    Raises:
        UsageError: there is no prompt, or standard input is not text.
    """
    alone = list(words) == ["-"]
    if alone and source.taken:
        raise UsageError(f"standard input can be read only once, and {source.taken} - already reads it")
    text = "" if alone else " ".join(map(whole_characters, words))
    if source.piped:
        piped = source.text()
        if PLACE in text:
            text = text.replace(PLACE, piped.strip("\n"))
        elif piped.strip():
            text = f"{text}\n\n{piped}" if text else piped
    elif PLACE in text and (source.typed or source.taken):
        raise UsageError(
            f"the prompt contains {PLACE}, but nothing is piped in",
            hint=f'pipe text in (llmstream "Summarise: {PLACE}" < notes.txt); or pass --no-stdin',
        )
    elif source.typed and (alone or not words) and not more:
        source.tell_how_to_end()
        text = source.text()
    if not text.strip() and not more:
        raise UsageError(
            "the prompt is empty",
            hint='pass it as an argument (llmstream "What is a monad?") or pipe it in',
        )
    return text


def whole_characters(word: str) -> str:
    """Return an argument as it was meant, whatever encoding the locale claims."""
    return word if word.isascii() else os.fsencode(word).decode("utf-8", "replace")
