"""The history's database: store runs and find them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmstream.errors import HistoryError, UsageError
from llmstream.history import opening
from llmstream.history.kept import MessageData, Run
from llmstream.prompt import Json
from llmstream.record import Record, replace

if TYPE_CHECKING:
    from sqlite3 import Connection

COLUMNS: Final = (
    "row, id, conversation, session, time, status, chat, provider, model, earlier, details, "
    "system, prompt, messages, text, reasoning"
)
CONVERSATION_OF: Final = "SELECT conversation FROM runs WHERE session = ? ORDER BY row DESC LIMIT 1"
Row = tuple[Any, ...]


class Turn(Record):
    """One turn of a conversation: the user's messages and the answer.

    Args:
        row: its row in the history, 0 if it is not stored.
        messages: the user's, without a system prompt.
        text: the answer's text.
    """

    row: int
    messages: tuple[MessageData, ...]
    text: str


class Store:
    """An open history; a context manager.

    Args:
        path: the history's file.
        connection: a connection to it, closed when the context ends.

    Raises:
        HistoryError: from every method that reads or writes, if the file is damaged, locked or can't be used.
    """

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def reading(cls, path: Path) -> Store | None:
        """Open a history for reading; None if it doesn't exist.

        Raises:
            HistoryError: it can't be read, or `opening.see` rejects it.
        """
        return cls(path, opening.opened(path, writing=False)) if opening.see(path) else None

    @classmethod
    def writing(cls, path: Path) -> Store | None:
        """Open a history for reading and writing; None if it doesn't exist.

        Raises:
            HistoryError: it can't be opened for writing, or `opening.see` rejects it.
        """
        return cls(path, opening.opened(path, writing=True)) if opening.see(path) else None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        opening.leave(self._connection, self.path)

    def query(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query.

        Raises:
            HistoryError: the history can't be read.
        """
        import sqlite3

        found: list[Row] = []
        try:
            opening.patiently(lambda: found.extend(self._connection.execute(sql, values).fetchall()))
        except sqlite3.Error as error:
            raise opening.explained(error, self.path) from error
        return found

    def change(self, work: Callable[[Connection], object]) -> None:
        """Call `work` with the connection, in one transaction.

        Raises:
            HistoryError: the history can't be written; nothing was changed.
        """
        import sqlite3

        connection = self._connection
        try:
            opening.begin(connection)
            work(connection)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise opening.explained(error, self.path) from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def checkpoint(self) -> bool:
        """Move the log into the file and empty it; return False if another process is using it."""
        return not self.query("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]

    def keep(self, run: Run) -> Run:
        """Write a run and return it with its row.

        If another run has started the same session in the meantime, this one joins its conversation.

        Raises:
            HistoryError: it can't be written.
        """
        kept: list[Run] = []

        def work(connection: Connection) -> None:
            conversation = run.conversation
            if run.session is not None and not run.earlier and run.chat is None:
                found = connection.execute(CONVERSATION_OF, (whole(run.session),)).fetchone()
                conversation = found[0] if found else conversation
            added = connection.execute(
                f"INSERT INTO runs ({COLUMNS.removeprefix('row, ')}, answered) "  # noqa: S608  # our own names
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                _values(replace(run, conversation=conversation)),
            )
            kept.append(replace(run, conversation=conversation, row=added.lastrowid or 0))

        self.change(work)
        return kept[0]

    def take_back(self, row: int) -> None:
        """Mark a turn as no longer part of its conversation; it stays in the history.

        Raises:
            HistoryError: it can't be written.
        """
        self.change(lambda c: c.execute("UPDATE runs SET taken_back = 1 WHERE row = ?", (row,)))

    def newest(self, count: int) -> list[Run]:
        """Return the `count` runs that started last, newest first; -1 for all."""
        return self.select("ORDER BY time DESC, id DESC LIMIT ?", (count,))

    def select(self, clause: str, values: Sequence[object] = ()) -> list[Run]:
        """Return the runs that a SELECT with this `clause` finds; `values` replace the clause's ``?``."""
        found = self.query(f"SELECT {COLUMNS} FROM runs {clause}", values)  # noqa: S608  # our own clauses
        return [run_of(row) for row in found]

    def runs(self, rows: Sequence[int]) -> list[Run]:
        """Return the runs in these rows, in no particular order."""
        from json import dumps

        return self.select("WHERE row IN (SELECT value FROM json_each(?))", (dumps(list(rows)),))

    def since(self, milliseconds: int) -> Iterator[Run]:
        """Yield the runs that started at `milliseconds` since 1970 or later, oldest first, read in pages."""
        last: tuple[int, str] = (milliseconds, "")
        while page := self.select("WHERE (time, id) > (?, ?) ORDER BY time, id LIMIT 200", last):
            yield from page
            last = page[-1].time, page[-1].id

    def beginning(self, text: str) -> Run:
        """Return the run whose id starts with `text`.

        Raises:
            UsageError: no id starts with it, or several do.
        """
        text = text.strip().lower()
        found: list[Run] = []
        if text and not set(text) - set("0123456789abcdef-"):
            # "g" sorts after every character of an id
            found = self.select("WHERE id >= ? AND id < ? ORDER BY id LIMIT 2", (text, text + "g"))
        if not found:
            raise UsageError(
                f'no run has the id "{text[:60]}"', hint="to list the ids: llmstream history list"
            )
        if len(found) > 1:
            raise UsageError(f'several ids start with "{text}"', hint="type more of the id")
        return found[0]

    def turns(self, rows: Sequence[int]) -> list[Turn]:
        """Return the turns in these rows, in the given order; rows that were removed are left out."""
        if not rows:
            return []
        from json import dumps

        found = self.query(
            "SELECT row, prompt, messages, text FROM runs WHERE row IN (SELECT value FROM json_each(?))",
            (dumps(list(rows)),),
        )
        known = {row: Turn(row, _messages(prompt, more), text) for row, prompt, more, text in found}
        return [known[row] for row in rows if row in known]

    def exported(self, run: Run) -> dict[str, Json]:
        """Return the JSON object of a run for lists and exports, with the messages of its earlier turns."""
        before: list[MessageData] = []
        for turn in self.turns(run.earlier):
            before += [*turn.messages, {"role": "assistant", "content": turn.text}]
        return run.to_dict(before)


def keep(path: Path, run: Run) -> Run:
    """Write a run to the history; a missing file is created, but not its folder.

    Returns:
        The run with its row.

    Raises:
        HistoryError: the history can't be written; nothing was changed.
    """
    if not opening.see(path):
        opening.make(path)
    store = Store.writing(path)
    if store is None:
        raise HistoryError(f"the history {path} was deleted by another process")
    with store:
        return store.keep(run)


def _values(run: Run) -> tuple[object, ...]:
    import json

    def compact(data: Json) -> str:
        return whole(json.dumps(data, ensure_ascii=False, separators=(",", ":")))

    plain = run.new == _messages(run.prompt, None)
    return (
        run.id,
        run.conversation,
        None if run.session is None else whole(run.session),
        run.time,
        run.status,
        run.chat,
        whole(run.provider),
        whole(run.model),
        compact(list(run.earlier)),
        compact(dict(run.details)),
        None if run.system is None else whole(run.system),
        whole(run.prompt),
        None if plain else compact([dict(message) for message in run.new]),
        whole(run.text),
        whole(run.reasoning),
        int(bool(run.text)),
    )


def whole(text: str) -> str:
    """Return the text with lone surrogates, which UTF-8 can't encode, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def run_of(row: Row) -> Run:
    """Return the run in a database row; the row's columns are COLUMNS."""
    import json

    number, key, conversation, session, time, status, chat, provider, model, earlier, details, *texts = row
    system, prompt, messages, text, reasoning = texts
    return Run(
        id=key,
        conversation=conversation,
        session=session,
        time=time,
        status=status,
        provider=provider,
        model=model,
        system=system,
        new=_messages(prompt, messages),
        earlier=tuple(json.loads(earlier)),
        text=text,
        reasoning=reasoning,
        details=json.loads(details),
        chat=chat,
        row=number,
    )


def _messages(prompt: str, more: str | None) -> tuple[MessageData, ...]:
    """Return a turn's messages; `more` is their JSON, None if they are only the prompt's text."""
    import json

    return ({"role": "user", "content": prompt},) if more is None else tuple(json.loads(more))
