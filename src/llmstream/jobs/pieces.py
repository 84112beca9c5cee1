"""Questions in numbered pieces on the driver's disk, and the actor that asks a piece.

A number always stands for the same questions, so that a piece can be run again if a node is lost.
Nothing here imports Ray: its actors are passed in, and their results awaited.
"""

from __future__ import annotations

import asyncio
import copyreg
import pickle
import tempfile
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, TypeAlias

from llmstream.engine.meter import Completion
from llmstream.errors import LLMStreamError
from llmstream.jobs.feeds import FileFeed
from llmstream.jobs.inputs import Ask, Id
from llmstream.jobs.remote_limiter import RemoteLimiter
from llmstream.jobs.rows import BadRow
from llmstream.jobs.run import Job, Settings
from llmstream.jobs.tally import Tally
from llmstream.prompt import Options, Prompt, Secret
from llmstream.record import replace
from llmstream.runnable.targets import Target


def _mapping(values: dict[str, object]) -> MappingProxyType[str, object]:
    return MappingProxyType(values)


# records hold read-only mappings, which pickle does not support
copyreg.pickle(MappingProxyType, lambda proxy: (_mapping, (dict(proxy),)))

Shipped: TypeAlias = tuple[Target, str | None, str]
"""A target without its key, the key, and the key's origin, because a Secret refuses to be pickled."""
Packed: TypeAlias = tuple[Id, int, int, Prompt, Options, int]
"""A question: id, key, number, prompt, options, and the index of its targets."""
Outcome: TypeAlias = tuple[Id, int, int, Completion, LLMStreamError | None]
"""The outcome of one question: id, key, number, the answer, and the error, if any."""


class Pieces:
    """Questions stored on this machine's disk, and read by the number of their piece.

    Args:
        questions: all questions to ask.
        size: questions in a piece.
        bad: called with invalid rows.
    """

    def __init__(self, questions: Iterator[Ask | BadRow], size: int, bad: Callable[[BadRow], None]) -> None:
        self.targets: list[list[Shipped]] = []
        self.file: IO[bytes] = tempfile.NamedTemporaryFile(prefix="llmstream-", suffix=".questions")  # noqa: SIM115  # as long as this object
        self.offsets = array("Q", [0])
        self._known: dict[int, int] = {}
        piece: list[Packed] = []
        for question in questions:
            if isinstance(question, BadRow):
                bad(question)
                continue
            piece.append(self._packed(question))
            if len(piece) == size:
                self._put(piece)
                piece = []
        if piece:
            self._put(piece)
        self.file.flush()

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def _packed(self, ask: Ask) -> Packed:
        place = self._known.get(id(ask.targets))
        if place is None:
            place = self._known[id(ask.targets)] = len(self.targets)
            self.targets.append([_shipped(target) for target in ask.targets])
        return ask.id, ask.key, ask.number, ask.prompt, ask.options, place

    def _put(self, piece: list[Packed]) -> None:
        self.file.write(pickle.dumps(piece))
        self.offsets.append(self.file.tell())

    def read(self, number: int) -> bytes:
        """Return a piece, pickled."""
        return _read(self.file.name, self.offsets, number)


def _read(path: str, offsets: array[int], number: int) -> bytes:
    with Path(path).open("rb") as file:
        file.seek(offsets[number])
        return file.read(offsets[number + 1] - offsets[number])


def _shipped(target: Target) -> Shipped:
    key = target.unlock() if target.unlock is not None else target.endpoint.api_key
    bare = replace(target, endpoint=replace(target.endpoint, api_key=None), unlock=None)
    return bare, key.reveal() if key else None, key.origin if key else ""


def _unshipped(shipped: Shipped) -> Target:
    target, key, origin = shipped
    return replace(
        target, endpoint=replace(target.endpoint, api_key=None if key is None else Secret(key, origin))
    )


class PieceKeeper:
    """An actor on the driver's machine that reads pieces from its disk."""

    def __init__(self, path: str, offsets: array[int]) -> None:
        self._path, self._offsets = path, offsets

    def read(self, number: int) -> bytes:
        """Return a piece, pickled."""
        return _read(self._path, self._offsets, number)


class Asking:
    """An actor that asks the questions of pieces.

    Args:
        pieces: a PieceKeeper.
        limiters: LimiterKeepers by provider.
        targets: the targets of all questions.
        settings: the job's settings, with this actor's `jobs`.
    """

    def __init__(
        self,
        pieces: object,
        limiters: Mapping[str, object],
        targets: list[list[Shipped]],
        settings: Settings,
    ) -> None:
        self._pieces = pieces
        self._limiters = limiters
        self._targets = [[_unshipped(one) for one in group] for group in targets]
        self._settings = settings

    def __call__(self, batch: Mapping[str, list[int]]) -> dict[str, list[object]]:
        """Ask the pieces with these numbers; return their numbers, and their outcomes pickled."""
        numbers = [int(number) for number in batch["item"]]
        outcomes = [pickle.dumps(asyncio.run(self._asked(number))) for number in numbers]
        return {"number": list(numbers), "outcomes": list(outcomes)}

    async def _asked(self, number: int) -> tuple[list[Outcome], LLMStreamError | None]:
        piece: list[Packed] = pickle.loads(await self._pieces.read.remote(number))  # type: ignore[attr-defined]  # noqa: S301  # our own
        outcomes: list[Outcome] = []

        def emit(
            question: Ask | BadRow, key: int, completion: Completion, error: LLMStreamError | None
        ) -> None:
            outcomes.append((question.name, key, question.number, completion, error))

        questions = (
            Ask(id_, key, number, prompt, options, self._targets[place])
            for id_, key, number, prompt, options, place in piece
        )
        job = Job(
            FileFeed(questions),
            emit,
            Tally(asyncio.get_running_loop().time),
            self._settings,
            lambda target: RemoteLimiter(self._limiters[target.endpoint.provider]),
        )
        await job.run()
        return outcomes, job.ended_by
