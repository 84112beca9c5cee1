"""Continue a conversation: find it, read its turns and make the messages to send again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmstream.history import running
from llmstream.history.kept import Absent, MessageData, digest, message_of
from llmstream.history.store import CONVERSATION_OF, Store, Turn, whole
from llmstream.prompt import Attachment, Message
from llmstream.record import Record, replace

if TYPE_CHECKING:
    from llmstream.history.kept import Run

Fetch = Callable[[str], bytes]
"""Returns the bytes of a path or URL; raises OSError or LLMStreamError if it can't read it."""

SENT: Final = "answered = 1 AND taken_back = 0"
"""SQL condition for the turns that are sent again."""
FIRST_WORDS: Final = 40
UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"))


class Conversation(Record):
    """A conversation to continue.

    Args:
        id: the conversation's id.
        session: its name, None when it has none.
        turns: those with an answer, oldest first.
        provider: of the last answer, or of the last try when there is no answer; empty without a run.
        model: as `provider`.
        system: the system prompt of that turn, None when there was none.
        time: when that turn started, milliseconds since 1970; 0 without a run.
    """

    id: str
    session: str | None
    turns: tuple[Turn, ...] = ()
    provider: str = ""
    model: str = ""
    system: str | None = None
    time: int = 0

    @property
    def rows(self) -> tuple[int, ...]:
        """The history rows of its turns, oldest first."""
        return tuple(turn.row for turn in self.turns)

    def described(self) -> str:
        """Return a description for people: its name, age, number of turns and first words."""
        name = f' of session "{self.session}"' if self.session is not None else ""
        if not self.turns:
            model = f"{self.provider}/{self.model}"
            return f"the conversation{name} from {age(self.time)} ago, without an answer yet, with {model}"
        first = " ".join(str(self.turns[0].messages[0]["content"]).split())
        words = first if len(first) <= FIRST_WORDS else first[: FIRST_WORDS - 1] + "…"
        turns = f"{len(self.turns)} turn{'s' if len(self.turns) != 1 else ''}"
        return f'the conversation{name} from {age(self.time)} ago ({turns}): "{words}"'


def age(milliseconds: int) -> str:
    """Return how long ago a time (milliseconds since 1970) was, in the largest unit that fits: ``3 h``."""
    seconds = max(0, int(time.time() - milliseconds / 1000))
    found = ((seconds // size, unit) for size, unit in UNITS if seconds >= size)
    count, unit = next(found, (seconds, "s"))
    return f"{count} {unit}"


def last(path: Path) -> Conversation | None:
    """Return the conversation of the last run that ended with an answer; None if there are no runs.

    If no run has an answer, return the last run's conversation, which then has no turns.
    Chats that are still running are ignored.

    Raises:
        HistoryError: the history can't be read.
    """
    store = Store.reading(path)
    if store is None:
        return None
    chats = running.going_on(path.parent)
    with store:
        over = f"(chat IS NULL OR chat NOT IN ({', '.join('?' * len(chats))}))"
        found = store.select(f"WHERE {SENT} AND {over} ORDER BY row DESC LIMIT 1", chats)
        if found:
            return _whole_of(store, found[0], f"AND {over}", chats)
        failed = store.select(f"WHERE taken_back = 0 AND {over} ORDER BY row DESC LIMIT 1", chats)
        return _unanswered(failed[0]) if failed else None


def named(path: Path, name: str) -> Conversation | None:
    """Return the conversation of a session; None if no run belongs to it.

    Raises:
        HistoryError: the history can't be read.
    """
    store = Store.reading(path)
    if store is None:
        return None
    with store:
        newest = store.query(CONVERSATION_OF, (whole(name),))
        if not newest:
            return None
        of_it = "WHERE conversation = ?"
        found = store.select(f"{of_it} AND {SENT} ORDER BY row DESC LIMIT 1", newest[0])
        if found:
            return _whole_of(store, found[0])
        failed = store.select(f"{of_it} AND taken_back = 0 ORDER BY row DESC LIMIT 1", newest[0])
        return _unanswered(failed[0]) if failed else Conversation(newest[0][0], name)


def _unanswered(run: Run) -> Conversation:
    return Conversation(run.conversation, run.session, (), run.provider, run.model, run.system, run.time)


def _whole_of(store: Store, run: Run, more: str = "", values: Sequence[object] = ()) -> Conversation:
    rows = store.query(
        f"SELECT row FROM runs WHERE conversation = ? AND {SENT} {more} ORDER BY row",  # noqa: S608  # our own
        [run.conversation, *values],
    )
    return Conversation(
        id=run.conversation,
        session=run.session,
        turns=tuple(store.turns([row for (row,) in rows])),
        provider=run.provider,
        model=run.model,
        system=run.system,
        time=run.time,
    )


def messages(turns: Sequence[Turn], fetch: Fetch) -> tuple[Message, ...]:
    """Return the messages to send again for these turns, each turn's followed by its answer.

    An attached file is sent again if it hasn't changed; otherwise a line of the text names it.

    Args:
        turns: oldest first.
        fetch: reads an attached file again.
    """
    made: list[Message] = []
    for turn in turns:
        made += [_again(data, fetch) for data in turn.messages]
        made.append(Message("assistant", turn.text))
    return tuple(made)


def _again(data: MessageData, fetch: Fetch) -> Message:
    message, absent = message_of(data)
    attached, names = list(message.attachments), []
    for one in absent:
        found = _refetched(one, fetch)
        if found is None:
            names.append(f"[{one.name}: {one.media_type}, {one.size} bytes, was attached here]")
        else:
            attached.append(found)
    content = "\n\n".join(text for text in (message.content, *names) if text)
    return replace(message, content=content, attachments=tuple(attached))


def _refetched(absent: Absent, fetch: Fetch) -> Attachment | None:
    from llmstream.errors import LLMStreamError

    if absent.place is None:
        return None
    try:
        data = fetch(absent.place)
    except (OSError, LLMStreamError):
        return None
    if digest(data) != absent.sha256:
        return None
    return Attachment(absent.media_type, data, name=absent.name, place=absent.place)
