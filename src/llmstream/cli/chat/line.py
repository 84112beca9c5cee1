"""Read what the user types into a chat: with prompt_toolkit, else readline, else without editing.

prompt_toolkit (the extra `chat`) can edit text of several lines.  Both it and GNU readline complete the
commands and take pasted text as one turn.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final, Protocol

from llmstream.errors import UsageError

if TYPE_CHECKING:
    from llmstream.cli.chat.typed import TypedLines
    from llmstream.cli.environment import Environment

SIGN: Final = "> "
MORE: Final = ". "
GNU: Final = (
    # Python turns it off; each line of a pasted text would be a turn, and cost money
    "set enable-bracketed-paste on",
    # under LC_ALL=C, the bytes of non-ASCII characters would be editing commands
    "set convert-meta off",
    "set input-meta on",
    "set output-meta on",
)
"""Settings of GNU readline."""

Complete = Callable[[str], list[str]]
"""Returns the possible completions of a line's last word."""


class LineReader(Protocol):
    """Reads one entry from the user."""

    def read(self, sign: str) -> str:
        """Return the typed text, which may have several lines if it was pasted.

        Args:
            sign: the prompt to show.

        Raises:
            EOFError: the user pressed Ctrl-D to leave.
            KeyboardInterrupt: the user pressed Ctrl-C to discard the line.
        """
        ...


def line_reader(environment: Environment, lines: TypedLines, complete: Complete) -> LineReader:
    """Return the best reader for this terminal and installation."""
    # neither a byte that is not UTF-8 nor a locale without UTF-8 may end the chat
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    if environment.dumb or not (environment.out.isatty or environment.err.isatty):
        return PlainReader(environment)
    try:
        return FullReader(environment, lines, complete)
    except ImportError:
        pass
    if not environment.out.isatty:
        return PlainReader(environment)
    try:
        return ReadlineReader(lines, complete)
    except ImportError:  # Windows
        return PlainReader(environment)


def whole_line(reader: LineReader) -> str:
    """Read a turn: a line that ends with a backslash continues on the next one.

    Raises:
        EOFError: the user pressed Ctrl-D before typing anything.
        KeyboardInterrupt: the user pressed Ctrl-C to discard the turn.
    """
    text = reader.read(SIGN)
    while text.endswith("\\"):
        try:
            text = text[:-1] + "\n" + reader.read(MORE)
        except EOFError:
            return text[:-1]
    return text


class PlainReader:
    """Reads lines with only the terminal's own editing."""

    def __init__(self, environment: Environment) -> None:
        self._writer = environment.out if environment.out.isatty else environment.err

    def read(self, sign: str) -> str:
        """Return one line."""
        self._writer.write(sign.encode())
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")


class ReadlineReader:
    """Reads lines with Python's readline.

    Raises:
        ImportError: readline is missing, as on Windows.
    """

    _add: Callable[[str], None]

    def __init__(self, lines: TypedLines, complete: Complete) -> None:
        self._lines = lines
        if sys.platform == "win32":
            raise ImportError("readline")
        import readline

        readline.set_auto_history(False)
        readline.clear_history()
        self._add = readline.add_history
        for line in lines.lines:
            self._remember(line)
        readline.set_completer_delims(" ")
        readline.set_completer(lambda _, state: [*complete(readline.get_line_buffer()), None][state])
        libedit = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
        if not libedit:
            for setting in GNU:
                readline.parse_and_bind(setting)

    def read(self, sign: str) -> str:
        """Return one line, or the lines of a pasted text."""
        line = input(sign)
        if line.strip():
            self._remember(line)
            self._lines.add(line)
        return line

    def _remember(self, line: str) -> None:
        # readline uses the locale's encoding, which is ASCII under LC_ALL=C
        with suppress(ValueError):
            self._add(line)


class FullReader:
    """Reads lines with prompt_toolkit.

    Raises:
        ImportError: it is not installed.
    """

    def __init__(self, environment: Environment, lines: TypedLines, complete: Complete) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import CompleteEvent, Completer, Completion
        from prompt_toolkit.document import Document
        from prompt_toolkit.history import History

        class _Kept(History):
            def load_history_strings(self) -> Iterator[str]:
                """Yield the typed lines, newest first."""
                yield from reversed(lines.lines)

            def store_string(self, string: str) -> None:
                """Store a typed line."""
                lines.add(string)

        class _Words(Completer):
            def get_completions(self, document: Document, event: CompleteEvent) -> Iterator[Completion]:
                """Yield the completions of the last word."""
                before = document.text_before_cursor
                start = -len(before.rpartition(" ")[2])
                for word in complete(before):
                    yield Completion(word, start_position=start)

        self._session: PromptSession[str] = PromptSession(
            history=_Kept(),
            completer=_Words(),
            complete_while_typing=False,
            enable_history_search=True,
            enable_suspend=True,
            output=_output(environment),
        )

    def read(self, sign: str) -> str:
        """Return one line, or the lines of a pasted text."""
        return self._session.prompt(sign, handle_sigint=False)


if TYPE_CHECKING:
    from prompt_toolkit.output import Output


def _output(environment: Environment) -> Output:
    stream = sys.stdout if environment.out.isatty else sys.stderr
    if sys.platform == "win32":
        from prompt_toolkit.output import create_output

        return create_output(stream)
    from prompt_toolkit.data_structures import Size
    from prompt_toolkit.output.vt100 import Vt100_Output

    # prompt_toolkit would warn about a terminal that doesn't report its cursor's position
    def size() -> Size:
        found = os.get_terminal_size(stream.fileno())
        return Size(found.lines or 24, found.columns or 80)

    return Vt100_Output(stream, size, term=environment.variables.get("TERM"), enable_cpr=False)


def decoded(data: bytes) -> str:
    """Return a line from a pipe as text, without its line end.

    Raises:
        UsageError: the line is not text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"standard input is not UTF-8 text (byte 0x{data[error.start]:02x})",
            hint="convert it first: iconv -f ENCODING -t UTF-8",
        ) from error
    if "\0" in text:
        raise UsageError("standard input is binary (it contains a NUL byte)")
    return text.rstrip("\r\n")


def piped_lines(read: Callable[[], bytes]) -> Iterator[str]:
    """Yield the non-blank lines of standard input as they arrive.

    Args:
        read: returns the next bytes, b"" at the end.

    Raises:
        UsageError: a line is not text.
    """
    held = b""
    while part := read():
        *lines, held = (held + part).split(b"\n")
        yield from (text for line in lines if (text := decoded(line)).strip())
    if held and (text := decoded(held)).strip():
        yield text
