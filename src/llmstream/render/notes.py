"""Messages for people on standard error: warnings, retries, errors.

Each note is one line, wrapped on a narrow terminal.  Text from a server is made safe and shortened; API
keys have already been removed from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmstream.errors import ConfigError, LLMStreamError
from llmstream.events import Event, Fallback, Finish, FinishReason, Notice, Retry, Step, ToolCallDelta, Winner
from llmstream.render.base import Answer, Sink, Writer, encode
from llmstream.render.colors import DIM, RED, RESET
from llmstream.render.guard import guarded, one_line

if TYPE_CHECKING:
    from llmstream.render.steps import StepLines
    from llmstream.runnable.plan import Plan

NAME: Final = "llmstream:"
NARROWEST: Final = 40
"""On a terminal narrower than this (cells), lines are not wrapped at words."""
BRIEF: Final = 48
"""Maximum number of characters of a retry's reason, so that its line fits a terminal."""
LONGEST: Final = 600
"""Maximum number of characters of a line that lists a problem."""
STOPS: dict[FinishReason, str] = {
    "length": "the answer was cut off at the token limit; to raise it: --max-tokens N",
    "content_filter": "the provider's content filter stopped the answer",
}


def dimmed(text: str, color: bool) -> bytes:
    """Return `text` as one line of bytes, dim if `color`."""
    return encode(f"{DIM}{text}{RESET}\n" if color else f"{text}\n")


def note_line(text: str, *, color: bool = False, width: int | None = None) -> bytes:
    """Return a note: the program's name and the text, which is made safe, short and a single line.

    Args:
        text: any text.
        color: whether it may be dim.
        width: width of the terminal in cells, to wrap at words; None not to wrap.
    """
    return b"".join(dimmed(line, color) for line in in_words(f"llmstream: {one_line(text)}", width))


def in_words(text: str, width: int | None) -> list[str]:
    """Wrap a line to a terminal's width, without cutting words; all lines but the first are indented."""
    if width is None or width < NARROWEST or len(text) < width:
        return [text]
    from llmstream.render.columns import cells

    blanks = len(text) - len(text.lstrip(" "))
    indent = " " * (blanks or 2)
    words = text.split()
    lines = [" " * blanks + words[0]]
    for word in words[1:]:
        if cells(lines[-1]) + 1 + cells(word) < width:
            lines[-1] += f" {word}"
        else:
            lines.append(indent + word)
    return lines


def error_lines(error: LLMStreamError, *, color: bool = False, width: int | None = None) -> bytes:
    """Return an error for people: its message as a line, its hint indented below.

    Args:
        error: its hint may have several lines, and so may the message of a ConfigError, which lists
            problems.
        color: whether the program's name may be red and the hint dim.
        width: width of the terminal in cells, to wrap at words; None not to wrap.
    """
    # no other error may have several lines, because its text can come from a server
    message, *listed = error.message.split("\n") if isinstance(error, ConfigError) else [error.message]
    head = "\n".join(in_words(f"{NAME} {one_line(message, 1500)}", width))
    if color:
        head = f"{RED}{NAME}{RESET}{head.removeprefix(NAME)}"
    # blanks are kept, because a caret marks a column
    problems = "".join(f"  {guarded(line[:LONGEST])}\n" for line in listed)
    hints = [f"  {one_line(line)}" for line in error.hint.splitlines() if line.strip()]
    below = b"".join(dimmed(line, color) for hint in hints[:12] for line in in_words(hint, width))
    return encode(f"{head}\n{problems}") + below


def briefly(reason: str, most: int = BRIEF) -> str:
    """Return a short reason why an attempt failed; the last attempt's error is shown in full.

    Args:
        reason: the error's message.
        most: maximum number of characters to return.
    """
    # drop "provider (host): ", which the user knows
    _, sign, rest = reason.partition("): ")
    text = one_line(rest if sign else reason)
    if len(text) <= most:
        return text
    head = text[: most - 3]
    return f"{head[: head.rfind(' ')] if ' ' in head[most // 2 :] else head}..."


class NotesSink(Sink):
    """Writes a note for each event that the user should know about.

    It must come after the answer's sink in a Tee, so that the answer's line ends first.

    Args:
        writer: standard error.
        color: whether notes may be dim.
        width: width of the terminal in cells, None not to wrap.
        answer: the answer's sink if it writes to the same terminal, so that notes don't interrupt its
            lines; else None.
        calls: whether to show tool calls; not needed if machine-readable output has them.
        steps: whether to show the steps of a Python object, one line each.
        name: put before each note if there are several models, else empty.
    """

    wants_text = False

    def __init__(
        self,
        writer: Writer,
        *,
        color: bool = False,
        width: int | None = None,
        answer: Answer | None = None,
        calls: bool = False,
        steps: bool = False,
        name: str = "",
    ) -> None:
        self._writer = writer
        self._max_retries = 0
        self._color = color
        self._width = width
        self._answer = answer
        self._before = f"{name}: " if name else ""
        self._held: list[bytes] = []
        self._finish: FinishReason = "unknown"
        self._calls: dict[int, list[str]] | None = {} if calls else None
        self._tells_steps = steps
        self._steps: StepLines | None = None

    def open(self, plan: Plan | None, at: float) -> None:
        """Remember the number of attempts."""
        self._max_retries = plan.targets[0].policy.max_retries if plan else 0

    def write(self, batch: list[Event], at: float) -> None:
        """Write the batch's notes, or hold them back until the answer's line has ended."""
        for event in batch:
            if isinstance(event, Finish):
                self._finish = event.reason
            elif isinstance(event, ToolCallDelta):
                self._called(event)
            elif isinstance(event, Step):
                self._stepped(event, at)
            elif text := self._said(event):
                self._note(text)
        if self._held and (self._answer is None or self._answer.ended_with_newline):
            self._flush()

    def close(self, error: LLMStreamError | None, now: float) -> None:
        """Write the tool calls, why the answer was cut off if it was, and the notes held back."""
        for name, *arguments in (self._calls or {}).values():
            text = f"the model calls {name}({''.join(arguments)})"
            self._note(text)
        if error is None and self._finish in STOPS:
            self._note(STOPS[self._finish])
        if self._held and self._answer and not self._answer.ended_with_newline:
            # the user wants no newline after the answer, but notes and answer share a terminal
            self._held.insert(0, b"\n")
        self._flush()

    def _note(self, text: str) -> None:
        self._held.append(note_line(self._before + text, color=self._color, width=self._width))

    def _called(self, delta: ToolCallDelta) -> None:
        if self._calls is not None:
            call = self._calls.setdefault(delta.index, [""])
            call[0] = delta.named(call[0]) or ""
            call.append(delta.arguments)

    def _stepped(self, step: Step, at: float) -> None:
        if not self._tells_steps:
            return
        if self._steps is None:
            from llmstream.render.steps import StepLines

            self._steps = StepLines()
        if line := self._steps.line(step, at):
            self._held.append(dimmed(one_line(line), self._color))

    def _flush(self) -> None:
        held, self._held = self._held, []
        if held:
            self._writer.write(b"".join(held))

    def _said(self, event: Event) -> str:
        match event:
            case Retry(attempt, wait, reason):
                which = f"attempt {attempt + 1} of {self._max_retries + 1}"
                head = f"retrying in {wait:.1f} s ({which}): "
                # fits on one line, unless that leaves too little room for the reason
                left = (self._width or 100) - len(f"{NAME} {self._before}{head}") - 1
                return head + briefly(reason, max(24, min(BRIEF, left)))
            case Fallback(provider, model, reason):
                return f"falling back to {provider}/{model}: {reason}"
            case Winner(provider, model, cancelled) if cancelled:
                return f"{provider}/{model} answered first; cancelled: {', '.join(cancelled)}"
            case Notice(message):
                return f"warning: {message}"
            case _:
                return ""
