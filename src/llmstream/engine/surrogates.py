"""Join characters that a server split: each of two deltas may hold half of a surrogate pair.

A lone half becomes U+FFFD, so that all text that leaves the engine can be encoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from llmstream.events import Event, ReasoningDelta, TextDelta, ToolCallDelta

CALL: Final = "call "


def joined(text: str) -> str:
    """Return a text with surrogate pairs joined and lone surrogates replaced by U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Surrogates:
    """Carries half a pair at the end of a delta over to the next delta of its kind."""

    def __init__(self) -> None:
        self._held: dict[str, str] = {}
        self.holding: Mapping[str, str] = self._held
        """Halves waiting for the rest; checking this costs less than a call of `mend`."""

    def mend(self, event: Event) -> Event:
        """Return the event with complete characters only; half a pair at its end is held for the next one."""
        if isinstance(event, TextDelta | ReasoningDelta):
            if not self._held and event.text.isascii():
                return event
            kind = type(event).__name__
            return type(event)(self._feed(kind, event.text))
        if isinstance(event, ToolCallDelta):
            id_, name, arguments = event.id, event.name, event.arguments
            if self._held or not arguments.isascii():
                arguments = self._feed(f"{CALL}{event.index}", arguments)
            return ToolCallDelta(event.index, id_ and joined(id_), name and joined(name), arguments)
        return event

    def close(self) -> Iterable[Event]:
        """Return the halves still held, each as U+FFFD."""
        for kind in list(self._held):
            if kind.startswith(CALL):
                index = int(kind.removeprefix(CALL))
                yield ToolCallDelta(index, None, None, joined(self._held.pop(kind)))
                continue
            yield (TextDelta if kind == "TextDelta" else ReasoningDelta)(joined(self._held.pop(kind)))

    def _feed(self, kind: str, text: str) -> str:
        text = self._held.pop(kind, "") + text
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._held[kind], text = text[-1], text[:-1]
        try:
            text.encode()
        except UnicodeEncodeError:
            return joined(text)
        return text
