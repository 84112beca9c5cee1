"""The counts of a job, as shown by the progress bar, progress lines and summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from llmstream.engine.meter import Completion
from llmstream.errors import LLMStreamError
from llmstream.jobs.inputs import Id

SLOWEST: Final = 3


class Tally:
    """The counts of one job.

    Args:
        clock: monotonic seconds.
        total: number of prompts in the input, None while unknown.
        before: number of prompts that FILE already answered.
    """

    def __init__(self, clock: Callable[[], float], total: int | None = None, before: int = 0) -> None:
        self.clock = clock
        self.began = clock()
        self.total = total
        self.before = before
        self.answered = 0
        self.failed = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost: float | None = None
        self.kinds: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.slowest: list[tuple[float, str]] = []

    @property
    def ended(self) -> int:
        """Number of prompts with an outcome in this run."""
        return self.answered + self.failed

    @property
    def left(self) -> int | None:
        """Number of prompts still to be asked, None if unknown."""
        return None if self.total is None else max(0, self.total - self.before - self.ended)

    @property
    def seconds(self) -> float:
        """The duration of this run so far, in seconds."""
        return self.clock() - self.began

    def add(self, id_: Id, completion: Completion, error: LLMStreamError | None) -> None:
        """Count one outcome."""
        usage = completion.usage
        self.input_tokens += usage.input_tokens or 0
        self.output_tokens += usage.output_tokens or 0
        if usage.cost is not None:
            self.cost = (self.cost or 0.0) + usage.cost
        took = completion.timing.total
        if len(self.slowest) < SLOWEST or took > self.slowest[-1][0]:
            self.slowest = sorted([*self.slowest, (took, str(id_))], reverse=True)[:SLOWEST]
        if error is None:
            self.answered += 1
            return
        self.failed += 1
        kind = type(error).__name__ + (f" {error.status}" if error.status else "")
        self.kinds[kind] += 1
        self.examples.setdefault(kind, f"{id_}: {error.message}")
