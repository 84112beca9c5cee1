"""Makes sure that text which a server sends several times, in pieces and complete, is yielded once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from llmstream.errors import BadMessage
from llmstream.events import Event, ReasoningDelta, TextDelta
from llmstream.wire.pieces import Pieces

Key: TypeAlias = tuple[object, ...]
"""Identifies a part: ``text``, ``summary`` or ``content``, then its item, then its index."""

MOST_PARTS: Final = 65536
MOST_COMPARED: Final = 4096
"""With more parts than this, repeated texts are not searched for."""
PARAGRAPH: Final = 24
"""After a part with at least this many characters, the next part is a new paragraph; a token is shorter."""


class Parts:
    """The parts of one answer's text and thinking that have been yielded so far."""

    def __init__(self) -> None:
        self._given: dict[Key, Pieces] = {}
        self._last: Key = ()

    def __bool__(self) -> bool:
        return any(key[0] == "text" and pieces.size for key, pieces in self._given.items())

    def said(self, key: Key, text: str) -> None:
        """Record text of a part that is yielded.

        Raises:
            BadMessage: there are more than `MOST_PARTS`, or the key contains an object or a list.
        """
        try:
            pieces = self._given.get(key)
        except TypeError:
            raise BadMessage("the index of a part is not a number") from None
        if pieces is None:
            if len(self._given) >= MOST_PARTS:
                raise BadMessage(f"the answer has more than {MOST_PARTS} parts")
            pieces = self._given[key] = Pieces()
        pieces.add(text)

    def thought(self, key: Key, text: str) -> Iterator[Event]:
        """Yield a piece of thinking, with a blank line before a new part unless the last was a token."""
        yield from self._thought(key, text, whole=False)

    def _thought(self, key: Key, text: str, *, whole: bool) -> Iterator[Event]:
        if not text:
            return
        last = self._given.get(self._last) if self._last and self._last != key else None
        between = ""
        paragraph = last is not None and (whole or last.size >= PARAGRAPH or last.count > 1)
        if last is not None and paragraph and not text[0].isspace():
            between = "" if last.text().endswith("\n\n") else "\n\n"
        self.said(key, text)
        self._last = key
        yield ReasoningDelta(between + text)

    def missing(self, key: Key, whole: str) -> Iterator[Event]:
        """Yield the rest of a complete part that has not been yielded yet."""
        try:
            pieces = self._given.get(key)
        except TypeError:
            raise BadMessage("the index of a part is not a number") from None
        given = pieces.text() if pieces is not None else ""
        # if any of the part was streamed, that text is final
        if not whole or given or self._other_view(key):
            return
        # a server may number each token as a part, or renumber the parts at the end
        for texts in (self._texts(key, same_place=True), self._texts(key, same_place=False)):
            if whole.strip() in (*map(str.strip, texts), "".join(texts).strip()):
                return
        if key[0] == "text":
            self.said(key, whole)
            yield TextDelta(whole)
        else:
            yield from self._thought(key, whole, whole=key[0] == "summary")

    def _texts(self, key: Key, *, same_place: bool) -> list[str]:
        """Return the texts of the same kind in a part's item, or in all others; none for too many parts."""
        if len(self._given) > MOST_COMPARED:
            return []
        return [
            pieces.text()
            for k, pieces in self._given.items()
            if (k[0] == "text") == (key[0] == "text") and (k[1] == key[1]) == same_place
        ]

    def _other_view(self, key: Key) -> bool:
        """Return whether the thinking was yielded in its other form, as a summary or in full."""
        return key[0] != "text" and any(k[0] not in ("text", key[0]) and k[1] == key[1] for k in self._given)
