"""The prompt's text, from the command line's words and standard input."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence
from typing import Final

from llmstream.errors import UsageError

PATIENCE: Final = 3.0
"""Seconds of silence after which a hint says what is awaited."""
PLACE: Final = "{stdin}"


def prompt_text(
    words: Sequence[str], *, use_stdin: bool, say: Callable[[str], None], more: bool = False, stdin: int = 0
) -> str:
    """Return the prompt's text.

    Args:
        words: of the command line; ``-`` alone stands for standard input.
        use_stdin: whether standard input is read when it is not a terminal.
        say: tells the user what is awaited.
        more: something else is in the prompt, so that its text may be empty.
        stdin: descriptor of standard input.

    Raises:
        UsageError: there is no prompt, or standard input is no text.
    """
    text = "" if list(words) == ["-"] else " ".join(map(_whole_characters, words))
    terminal = os.isatty(stdin)
    if use_stdin and not terminal:
        piped = read_stdin(say, stdin)
        if PLACE in text:
            text = text.replace(PLACE, piped.strip("\n"))
        elif piped.strip():
            text = f"{text}\n\n{piped}" if text else piped
    elif terminal and use_stdin and list(words) in ([], ["-"]) and not more:
        say("type the prompt, then end it with Ctrl-D on a line of its own")
        text = _decoded(_read_all(stdin))
    if not text.strip() and not more:
        raise UsageError(
            "there is no prompt: it is empty",
            hint='write it behind the command, llmstream "What is a monad?", or pipe it in',
        )
    return text


def read_stdin(say: Callable[[str], None], stdin: int = 0) -> str:
    """Return all of standard input as text, with a hint when nothing comes for a while."""
    try:
        ready = select.select([stdin], [], [], PATIENCE)[0]
    except (OSError, ValueError):  # Windows takes only sockets here
        ready = [stdin]
    if not ready:
        say("waiting for standard input to end (Ctrl-D); --no-stdin leaves it alone")
    return _decoded(_read_all(stdin))


def _read_all(stdin: int) -> bytes:
    parts = []
    try:
        while part := os.read(stdin, 1 << 20):
            parts.append(part)
    except OSError as error:
        raise UsageError(f"standard input can't be read: {error.strerror}") from error
    return b"".join(parts)


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"standard input is no UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}",
            hint="iconv -t UTF-8 converts text",
        ) from error
    if "\0" in text:
        raise UsageError(f"standard input is binary: a NUL byte at offset {text.index(chr(0))}")
    return text


def _whole_characters(word: str) -> str:
    """Return an argument as it was meant, whatever encoding the locale claims."""
    return word if word.isascii() else os.fsencode(word).decode("utf-8", "replace")
