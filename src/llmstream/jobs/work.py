"""The command's job, from INPUT to FILE or a stream: check, ask, and sort the results."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from llmstream.engine.meter import Completion
from llmstream.errors import LLMStreamError, UsageError
from llmstream.jobs.answers import encoded, line_of
from llmstream.jobs.feeds import Feed, FileFeed, Judge, Next, PipeFeed
from llmstream.jobs.inputs import Ask, Asker
from llmstream.jobs.keys import ident
from llmstream.jobs.ledger import Ledger
from llmstream.jobs.limiter import Limiter
from llmstream.jobs.ordered import Ordered
from llmstream.jobs.results import SYNC_EVERY, ResultFile, lines_of
from llmstream.jobs.rows import BadRow, RowOrBad
from llmstream.jobs.run import Emit, Job, Settings
from llmstream.jobs.sources import Check, Source, check
from llmstream.jobs.tally import Tally
from llmstream.runnable.targets import Target


class Show(Protocol):
    """Shows the progress of a job.

    `every`: seconds between two updates.
    """

    every: float

    def show(self, tally: Tally) -> None:
        """Show the counts."""
        ...


class Work:
    """One command's job.

    Args:
        source: INPUT.
        asker: makes questions of its rows.
        ordered: whether to write answers in the input's order.

    `found` is the result of the first reading, None for an input that can be read only once.
    """

    def __init__(self, source: Source, asker: Asker, *, ordered: bool = False) -> None:
        self.source = source
        self.ledger = Ledger(repeatable=source.repeatable)
        self.found: Check | None = None
        self.file: ResultFile | None = None
        self.answered = 0
        self._asker = asker
        self._ordered = ordered
        self._order = bytearray() if ordered else None
        self.judge = Judge(asker, self.ledger, self._order)

    def look(self) -> None:
        """Read the input for the first time, if it can be read twice.

        Raises:
            BadRow: a row is invalid.
        """
        if self.source.repeatable:
            try:
                self.found = check(self.source.rows(), self._asker, self.ledger)
            except BadRow as error:
                error.message = f"{self.source.name}, {error.message}"
                raise

    def open(self, path: str, *, fresh: bool) -> None:
        """Open FILE and read its answers.

        Raises:
            UsageError: it can't be used.
        """
        self.file = ResultFile(path, fresh=fresh)
        self.answered = self.file.read(self.ledger)

    def peek(self, path: str) -> None:
        """Read FILE's answers without creating, locking or changing it.

        Raises:
            UsageError: it can't be read, or is not a results file.
        """
        try:
            for line in lines_of(Path(path), path):
                self.answered += self.ledger.found(line.id, line.key, failed=line.failed)
        except FileNotFoundError:
            return
        except OSError as error:
            raise UsageError(f"can't read {path}: {error.strerror}") from error

    def asked_in(self, row: RowOrBad) -> Ask:
        """Return the question of a row of the input.

        Raises:
            BadRow: it is invalid.
        """
        if isinstance(row, BadRow):
            raise row
        return self._asker.ask(row)

    def target_of(self, model: str) -> Target:
        """Return the target of a model's full name."""
        return self._asker.chosen(model)[0][0]

    def note_order(self) -> None:
        """Note the input's order by reading it again, for a job whose questions don't pass `judge`."""
        if self._order is not None:
            for row in self.source.rows():
                self._order += ident(self.asked_in(row).id).to_bytes(16, "big")

    @property
    def left(self) -> int | None:
        """Number of prompts to ask, None if unknown."""
        return None if self.found is None else self.found.prompts - self.answered

    def tally(self, clock: Callable[[], float]) -> Tally:
        """Return the initial counts."""
        return Tally(clock, None if self.found is None else self.found.prompts, self.answered)

    async def run(
        self,
        settings: Settings,
        tally: Tally,
        write: Callable[[str], None],
        show: Show,
        *,
        limiter: Callable[[Target], Limiter],
    ) -> LLMStreamError | None:
        """Ask all questions.

        Args:
            settings: concurrency, and when to stop.
            tally: the counts, kept up to date.
            write: called with each line if there is no FILE.
            show: shows the counts from time to time.
            limiter: makes a provider's limiter.

        Returns:
            The error that ended it before the last prompt, None if it finished or reached max_failures.
        """
        feed: Feed
        pipe: PipeFeed | None = None
        if self.source.repeatable:
            feed = FileFeed(self.judge.each(self.source.rows()))
        else:
            feed = pipe = PipeFeed(self.source.pieces(), self.judge)
        ordered: Ordered | None = None
        if self._ordered and self.file is None:
            ordered = Ordered(lambda line: write(line.decode()))
            feed = _Announced(feed, ordered)
        emit = self._emit(write, ordered)
        job = Job(feed, emit, tally, settings, limiter, self._give_back)
        helpers = [asyncio.ensure_future(_shown(show, tally, self.judge))]
        if self.file is not None:
            helpers.append(asyncio.ensure_future(_synced(self.file)))
        try:
            await job.run()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            if pipe is not None:
                pipe.close()
            if ordered is not None:
                ordered.close()
        return job.ended_by

    def _emit(self, write: Callable[[str], None], ordered: Ordered | None) -> Emit:
        file = self.file

        def emit(
            question: Ask | BadRow, key: int, completion: Completion, error: LLMStreamError | None
        ) -> None:
            line = line_of(question.name, key, completion, error)
            if file is not None:
                file.append(encoded(line))
            elif ordered is not None:
                ordered.put(question.number, encoded(line))
            else:
                write(line)

        return emit

    def emit_to(self, write: Callable[[str], None]) -> Emit:
        """Return a function that writes outcomes into FILE or with `write`."""
        return self._emit(write, None)

    def questions(self) -> Iterator[Ask | BadRow]:
        """Yield the questions to ask; for an input that can be read only once, until its end."""
        if self.source.repeatable:
            return self.judge.each(self.source.rows())
        return self.judge.each(row for piece in self.source.pieces() for row in piece)

    def _give_back(self, ask: Ask) -> None:
        self.ledger.give_back(ask.id, ask.key)

    def put_in_order(self) -> None:
        """Give FILE its final form: each prompt once, in the input's order if wanted.

        Raises:
            FileError: it can't be rewritten; it is unchanged.
        """
        file = self.file
        if file is None:
            return
        if self.ledger.untidy:
            file.tidy(self.ledger)
        if self._order is not None:
            _sort(file, self._order)

    def close(self) -> None:
        """Close FILE."""
        if self.file is not None:
            self.file.close()


class _Announced:
    """A feed that announces each question to an Ordered."""

    def __init__(self, feed: Feed, ordered: Ordered) -> None:
        self._feed = feed
        self._ordered = ordered

    async def take(self) -> Next:
        """Return the next question."""
        question = await self._feed.take()
        if question is not None:
            self._ordered.expect(question.number)
        return question


def _sort(file: ResultFile, order: bytearray) -> None:
    """Sort FILE's lines by the order of ids; lines with other ids go last."""
    places = {ident(line.id): line.offset for line in file.lines()}
    wanted = array("Q")
    for at in range(0, len(order), 16):
        offset = places.pop(int.from_bytes(order[at : at + 16], "big"), None)
        if offset is not None:
            wanted.append(offset)
    wanted.extend(sorted(places.values()))
    if all(one < other for one, other in pairwise(wanted)):
        return

    def lines() -> Iterator[bytes]:
        with file.path.open("rb") as old:
            for offset in wanted:
                old.seek(offset)
                yield old.readline()

    file.replace(lines())


async def _shown(show: Show, tally: Tally, judge: Judge) -> None:
    while True:
        await asyncio.sleep(show.every)
        tally.before = max(tally.before, judge.answered)
        show.show(tally)


async def _synced(file: ResultFile) -> None:
    """Flush written data to the disk twice a second, in a thread, because it may take long."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while True:
            await asyncio.sleep(SYNC_EVERY)
            if file.unsynced:
                await loop.run_in_executor(None, file.sync)
