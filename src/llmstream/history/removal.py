"""Remove runs permanently: none of their text is left in the history's files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

    from llmstream.history.store import Store


def remove(store: Store, rows: Sequence[int]) -> bool:
    """Remove runs, and their text from the index, the free pages and the log.

    Args:
        store: the history, open for writing.
        rows: rows of the runs.

    Returns:
        False if the log may still contain removed text because another process is using the history.

    Raises:
        HistoryError: the history can't be written.
    """
    from json import dumps

    def work(connection: Connection) -> None:
        listed = (dumps(list(rows)),)
        connection.execute("DELETE FROM runs WHERE row IN (SELECT value FROM json_each(?))", listed)
        # FTS5 only marks deleted words; merging the whole index drops them
        connection.execute("INSERT INTO words (words) VALUES ('optimize')")

    store.query("PRAGMA secure_delete = ON")
    store.change(work)
    store.query("VACUUM")
    return store.checkpoint()


def older(store: Store, milliseconds: int) -> list[int]:
    """Return the rows of the runs that started before a time, milliseconds since 1970."""
    return [row for (row,) in store.query("SELECT row FROM runs WHERE time < ?", (milliseconds,))]


def beyond(store: Store, keep: int) -> list[int]:
    """Return the rows of all runs except the newest `keep`."""
    found = store.query("SELECT row FROM runs ORDER BY time DESC, id DESC LIMIT -1 OFFSET ?", (keep,))
    return [row for (row,) in found]
