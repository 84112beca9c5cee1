"""Read standard input, once and completely, and make the prompt from it and the command line's words."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Sequence
from typing import Final

from llmstream.errors import UsageError

PATIENCE: Final = 3.0
"""Seconds without input after which a note says that standard input is being read."""
LONGEST: Final = 64 * 1024 * 1024
"""Most bytes to read, because an endless stream would fill the memory."""
PLACE: Final = "{stdin}"
WHERE: Final = "standard input"


class StandardInput:
    """Standard input of one run.

    Args:
        descriptor: its file descriptor.
        say: writes a note for the user.
        use: False not to read it.
    """

    def __init__(self, descriptor: int, say: Callable[[str], None], *, use: bool = True) -> None:
        self._descriptor = descriptor
        self._say = say
        self._use = use
        self._taken = ""
        self.terminal = os.isatty(descriptor)

    @property
    def piped(self) -> bool:
        """Whether the prompt may come from it: it may be read, is not a terminal, and no option reads it."""
        return self._use and not self.terminal and not self._taken

    @property
    def typed(self) -> bool:
        """Whether the user can type the prompt: it may be read, is a terminal, and no option reads it."""
        return self._use and self.terminal and not self._taken

    def close(self) -> None:
        """Don't read it from now on."""
        self._use = False

    @property
    def taken(self) -> str:
        """The option that reads it, empty for none."""
        return self._taken

    def take(self, option: str) -> bytes:
        """Return all of standard input for an option such as ``-f -``.

        Raises:
            UsageError: it must not be read, another option reads it, or `read` fails.
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
        """Tell the user how to end input on a terminal."""
        self._say(f"type the {what}, then press Ctrl-D on a new line")

    def text(self) -> str:
        """Return all of standard input as text.

        Raises:
            UsageError: it is binary, too long, or can't be read.
        """
        from llmstream.runnable.files import text_of

        return text_of(self.read(), WHERE, self._say)

    def read(self) -> bytes:
        """Return all of standard input, b"" if it isn't open for reading.

        If it is not a terminal and nothing arrives for 3 s, a note is shown.

        Raises:
            UsageError: it is too long or can't be read.
        """
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
        except (OSError, ValueError):  # Windows supports only sockets here
            return
        if not ready:
            self._say("waiting for standard input to end; to ignore it, pass --no-stdin")

    def _some(self) -> bytes:
        while True:
            try:
                return os.read(self._descriptor, 1 << 20)
            except BlockingIOError:
                # a parent process such as Node may pass on a pipe in non-blocking mode
                select.select([self._descriptor], [], [])
            except OSError as error:
                raise UsageError(f"can't read standard input: {error.strerror}") from error


def _readable(descriptor: int) -> bool:
    """Return whether a descriptor is open for reading; with nohup, standard input is not."""
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
        words: words of the command line; ``-`` alone means standard input.
        source: standard input, which an option may have read.
        more: whether the prompt has other content, so that its text may be empty.

    Raises:
        UsageError: the prompt is empty, or standard input is not text or can't be read.
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
    """Return an argument decoded as UTF-8, whatever the locale's encoding."""
    return word if word.isascii() else os.fsencode(word).decode("utf-8", "replace")
