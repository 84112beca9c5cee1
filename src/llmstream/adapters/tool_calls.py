"""Tell the tool calls of one answer apart, however a server numbers them.

Indexes may be shared or missing; ids may be empty, repeated, late or different in each piece; names may be
repeated or sent in pieces; calls may be complete or in pieces.  A new id, a new name after a complete call,
or text after a complete JSON value starts another call, so that two calls are never merged.

Sources: OpenAI API reference, "Chat completions: streaming"; recorded answers of Ollama, LMDeploy,
Alibaba, Mistral and llama.cpp; reports of names in pieces (Gemini, Mistral) and of an id for each
piece (LM Studio).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from llmstream.errors import BadMessage
from llmstream.events import ToolCallDelta
from llmstream.wire.nesting import Nesting
from llmstream.wire.pieces import Pieces

MOST_CALLS: Final = 4096
"""Most calls in one answer."""


class Call:
    """The state of one call.

    `closed`: whether its arguments are a complete JSON value.
    """

    __slots__ = ("_nesting", "_text", "closed", "id", "index", "name", "theirs")

    def __init__(self, index: int, theirs: int | None) -> None:
        self.index = index
        self.theirs = theirs
        self.id: str | None = None
        self.name: str | None = None
        self.closed = False
        self._nesting: Nesting | None = None
        self._text = Pieces()

    @property
    def started(self) -> bool:
        """Whether any arguments have been received."""
        return self._text.size > 0

    def take(self, text: str) -> int:
        """Add a piece of arguments; return the number of its characters that belong to this call."""
        end = self._end(text)
        self._text.add(text[:end])
        return end

    def _end(self, text: str) -> int:
        start = 0
        if self._nesting is None:
            start = len(text) - len(text.lstrip())
            # other text has no brackets to count: invalid JSON, or a plain value
            if start == len(text) or self._text.text().strip() or text[start] not in "{[":
                return len(text)
            self._nesting = Nesting()
        elif self.closed:
            return len(text) - len(text.lstrip())
        end = self._nesting.end(text, start)
        self.closed = end >= 0
        return end if end >= 0 else len(text)

    def repeated_by(self, arguments: str) -> bool:
        """Return whether a text repeats this call's complete arguments."""
        return self.closed and len(arguments) == self._text.size and arguments == self._text.text()


class ToolCalls:
    """The calls of one answer, in the order of their first pieces."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._by_id: dict[str, Call] = {}
        self._by_place: dict[int, Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def piece(
        self, place: int | None, id_: str | None, name: str | None, arguments: str, *, whole: bool = False
    ) -> Iterator[ToolCallDelta]:
        """Yield the events of one piece.

        Args:
            place: the server's index, None for none.
            id_: the server's id, None if it is missing or empty.
            name: the function's name or a piece of it, None if it is missing or empty.
            arguments: the next piece of the JSON text, or all of it.
            whole: whether the piece starts a new call, even if it looks like part of an earlier one.

        Raises:
            BadMessage: there are more than `MOST_CALLS`.
        """
        before = None if whole else self._candidate(place, id_)
        if before is not None and id_ and id_ == before.id and before.repeated_by(arguments):
            return  # some servers repeat the complete call after its pieces
        call = before if before is not None and _goes_on(before, id_, name, arguments) else None
        if call is None:
            call = self._begun(place)
            name = name or (before.name if before is not None else None)
        if id_ and not call.id:
            self._by_id[id_] = call
        yield from self._given(call, place, id_, name, arguments)

    def more(self, index: int, arguments: str) -> ToolCallDelta:
        """Add a piece to the call with our own index `index`, and return its event."""
        self._calls[index].take(arguments)
        return ToolCallDelta(index, None, None, arguments)

    def _given(
        self, call: Call, place: int | None, id_: str | None, name: str | None, text: str
    ) -> Iterator[ToolCallDelta]:
        """Yield a piece of a call, and further calls whose arguments follow in the same piece."""
        more = name.removeprefix(call.name or "") if name else ""
        news = (None if call.id else id_, more or None)
        call.id, call.name = call.id or id_, (call.name or "") + more or None
        end = call.take(text)
        yield ToolCallDelta(call.index, *news, text[:end])
        rest = text[end:].strip()
        while rest.startswith(("{", "[")):
            further, name = self._begun(place), call.name
            further.name = name
            end = further.take(rest)
            yield ToolCallDelta(further.index, None, name, rest[:end])
            rest = rest[end:].strip()

    def _begun(self, place: int | None) -> Call:
        if len(self._calls) >= MOST_CALLS:
            raise BadMessage(f"the answer has more than {MOST_CALLS} tool calls")
        call = Call(len(self._calls), place)
        self._calls.append(call)
        if place is not None:
            self._by_place[place] = call
        return call

    def _candidate(self, place: int | None, id_: str | None) -> Call | None:
        """Return the call that a piece may belong to."""
        known = self._by_id.get(id_ or "")
        if known is not None and (place is None or known.theirs in (None, place)):
            return known
        if place is not None:
            # the id may be repeated while the index changes
            return self._by_place.get(place) or known
        return self._calls[-1] if self._calls else None


def _goes_on(call: Call, id_: str | None, name: str | None, piece: str) -> bool:
    """Return whether a piece continues a call rather than starting another one."""
    begins = piece.lstrip()[:1] in ("{", "[") and piece.strip() != ""
    complete = call.closed or (begins and call.started)
    if id_ and call.id and id_ != call.id:
        # LM Studio gives each piece a new id, but a name only to the first
        return not (name or complete)
    if name and call.name and name != call.name:
        # a piece of the name, because another call would have its own id if this one has an id
        return call.id is not None and not complete
    return not (call.closed and begins)
