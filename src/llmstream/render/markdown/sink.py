"""Show an answer as Markdown on a terminal."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from llmstream.errors import LLMStreamError
from llmstream.events import Event, TextDelta
from llmstream.render.base import Answer, Writer, encode
from llmstream.render.guard import Guard

if TYPE_CHECKING:
    from llmstream.render.markdown.reader import Reader
    from llmstream.runnable.plan import Plan

DARK, LIGHT = "monokai", "default"
"""Pygments styles for code, by background."""
BETWEEN_LOOKS: Final = 0.01
"""Seconds until the terminal's size is read again; no user resizes faster."""
COLUMNS: Final = 80
"""Width of a terminal that doesn't report one."""


def theme_of(variables: Mapping[str, str], wanted: str | None) -> str:
    """Return the name of the Pygments style for code; empty for the terminal's palette.

    Args:
        variables: the environment variables; COLORFGBG (set by rxvt, Konsole and others) ends with the
            number of the background's colour: 0 to 6 and 8 are dark.
        wanted: the configured theme, None or empty if there is none.
    """
    if wanted:
        return wanted
    background = variables.get("COLORFGBG", "").rpartition(";")[2]
    if not background.isdecimal():
        return ""
    return DARK if int(background) in (0, 1, 2, 3, 4, 5, 6, 8) else LIGHT


def colours_of(variables: Mapping[str, str], allowed: bool) -> int:
    """Return the number of colours to use: 0 if not `allowed`, else the terminal's 16 or 256."""
    if not allowed:
        return 0
    many = "256" in variables.get("TERM", "") or variables.get("COLORTERM") in ("truecolor", "24bit")
    return 256 if many else 16


class MarkdownSink(Answer):
    """Writes the answer's text as Markdown.

    Args:
        writer: a terminal.
        newline: whether to end the last row with a newline.
        colours: 0, 16 or 256.
        theme: name of the Pygments style for code with 256 colours; empty for the terminal's palette.
    """

    def __init__(self, writer: Writer, *, newline: bool = True, colours: int = 16, theme: str = "") -> None:
        self._writer = writer
        self._newline = newline
        self._colours = colours
        self._theme = theme
        self._guard = Guard()
        self._columns = 0
        self._looked = 0.0
        self._reader: Reader | None = None

    @property
    def ended_with_newline(self) -> bool:
        """Whether the next output starts on a new line; True before anything was written."""
        return self._reader is None or self._reader.at_start

    def open(self, plan: Plan | None, at: float) -> None:
        """Import modules in a thread during the wait for the first token."""
        if plan is not None:
            threading.Thread(target=_load, args=(bool(self._colours),), daemon=True).start()

    def write(self, batch: list[Event], at: float) -> None:
        """Write the batch's text, if it has any."""
        if len(batch) == 1:
            event = batch[0]
            text = event.text if type(event) is TextDelta else ""
        else:
            text = "".join([event.text for event in batch if type(event) is TextDelta])
        if text:
            shown = self._guard.feed(text)
            if shown:
                self._put(shown, at)

    def _put(self, text: str, at: float) -> None:
        reader = self._reader or self._begin()
        if at - self._looked > BETWEEN_LOOKS:
            self._looked = at
            columns = self._width()
            if columns != self._columns:
                self._columns = columns
                reader.resize(columns)
        shown = reader.feed(text)
        if shown:
            self._writer.write(shown.encode() if shown.isascii() else encode(shown))

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._writer.fd).columns or COLUMNS
        except OSError:
            return COLUMNS

    def _begin(self) -> Reader:
        from llmstream.render.markdown.ink import Ink
        from llmstream.render.markdown.reader import Reader

        self._columns = self._width()
        self._reader = Reader(self._columns, Ink(self._colours, self._theme))
        return self._reader

    def end_row(self) -> None:
        """End the open row, because something else is written next."""
        if self._reader:
            self._writer.write(encode(self._reader.end_row()))

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """End the answer, complete or not: reset attributes and, with `newline`, end the row."""
        held = self._guard.close()
        if held:
            self._put(held, now)
        if self._reader:
            self._writer.write(encode(self._reader.close(newline=self._newline)))


def _load(colours: bool) -> None:
    """Import what shows the first row and, if it will have colours, the first code block."""
    import llmstream.render.markdown.ink
    import llmstream.render.markdown.reader  # noqa: F401

    if colours:
        from llmstream.render.markdown.highlight import lexer_of

        lexer_of("python")
