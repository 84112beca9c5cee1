"""Sources of questions, read one at a time and no further ahead than needed."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Protocol, TypeAlias

from llmstream.jobs.inputs import Ask, Asker, Id
from llmstream.jobs.keys import ident
from llmstream.jobs.ledger import Ledger
from llmstream.jobs.rows import BadRow, RowOrBad

Next: TypeAlias = Ask | BadRow | None


class Feed(Protocol):
    """Supplies the questions of a job."""

    async def take(self) -> Next:
        """Return the next question, a row that is invalid, or None at the end."""
        ...


class Judge:
    """Makes a question of each row without an answer in FILE, in the input's order.

    Args:
        asker: makes questions.
        ledger: the known prompts and answers.
        order: collects the 16-byte digest of each id, None if the input's order isn't needed.

    `answered` is the number of rows with an answer in FILE.
    """

    def __init__(self, asker: Asker, ledger: Ledger, order: bytearray | None = None) -> None:
        self.answered = 0
        self._asker = asker
        self._ledger = ledger
        self._order = order

    def __call__(self, row: RowOrBad) -> Next:
        """Return a question, a BadRow if it can't be asked, None if FILE has its answer."""
        question = self._question(row)
        if self._order is not None and isinstance(question, BadRow):
            self._order += _name(question.name)
        return question

    def _question(self, row: RowOrBad) -> Next:
        if isinstance(row, BadRow):
            return row
        try:
            ask = self._asker.ask(row)
        except BadRow as error:
            return error
        wanted = self._ledger.take(ask.id, ask.key)
        if wanted is None:
            # its own id has another answer already, so it is identified by its line
            return BadRow(row.number, f"the id {ask.id!r} occurs twice", row.data)
        if self._order is not None:
            self._order += _name(ask.id)
        if wanted:
            return ask
        self.answered += 1
        return None

    def each(self, rows: Iterable[RowOrBad]) -> Iterator[Ask | BadRow]:
        """Yield the questions of many rows."""
        for row in rows:
            question = self(row)
            if question is not None:
                yield question


def _name(id_: Id) -> bytes:
    return ident(id_).to_bytes(16, "big")


class FileFeed:
    """Questions available without waiting: from a regular file or a caller of the library.

    Args:
        questions: an iterator of them.
    """

    def __init__(self, questions: Iterator[Ask | BadRow]) -> None:
        self._questions = questions

    async def take(self) -> Next:
        """Return the next question."""
        return next(self._questions, None)


class AsyncFeed:
    """Questions from an asynchronous iterator."""

    def __init__(self, questions: AsyncIterator[Ask | BadRow]) -> None:
        self._questions = questions
        self._one = asyncio.Lock()

    async def take(self) -> Next:
        """Return the next question."""
        async with self._one:
            return await anext(self._questions, None)


class PipeFeed:
    """Questions from an input that must be waited for.

    A separate thread reads, only when asked to; it is a daemon, because nothing can end a blocked read.

    Args:
        pieces: an iterator that may block; each piece is the rows of one read.
        judge: makes a question of a row; None if the row needs no question.
    """

    def __init__(self, pieces: Iterator[list[RowOrBad]], judge: Callable[[RowOrBad], Next]) -> None:
        self._pieces = pieces
        self._judge = judge
        self._rows: deque[RowOrBad] = deque()
        self._one = asyncio.Lock()
        self._wanted = threading.Semaphore(0)
        self._came: asyncio.Future[list[RowOrBad] | None] | None = None
        self._loop = asyncio.get_running_loop()
        self._ended = False
        threading.Thread(target=self._read, name="llmstream-input", daemon=True).start()

    async def take(self) -> Next:
        """Return the next question."""
        while True:
            while self._rows:
                question = self._judge(self._rows.popleft())
                if question is not None:
                    return question
            if self._ended:
                return None
            async with self._one:
                if not self._rows and not self._ended:
                    await self._more()

    def close(self) -> None:
        """Ask for no more input, which ends the thread unless a read blocks it."""
        self._ended = True
        self._wanted.release()

    async def _more(self) -> None:
        self._came = self._loop.create_future()
        self._wanted.release()
        rows = await self._came
        if rows is None:
            self._ended = True
        else:
            self._rows.extend(rows)

    def _read(self) -> None:
        while True:
            self._wanted.acquire()
            if self._ended:
                return
            try:
                rows: list[RowOrBad] | None = next(self._pieces, None)
            except BaseException as error:  # noqa: BLE001  # raised by `take`, in the loop's thread
                self._tell(self._failed, error)
                return
            self._tell(self._got, rows)
            if rows is None:
                return

    def _tell(self, how: Callable[..., None], what: object) -> None:
        # the loop was closed: nobody waits any longer
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(how, what)

    def _got(self, rows: list[RowOrBad] | None) -> None:
        if self._came is not None and not self._came.done():
            self._came.set_result(rows)

    def _failed(self, error: BaseException) -> None:
        if self._came is not None and not self._came.done():
            self._came.set_exception(error)
