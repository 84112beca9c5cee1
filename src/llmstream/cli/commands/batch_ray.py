"""`llmstream batch --ray`: run the job on a Ray cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from llmstream.errors import LLMStreamError
from llmstream.jobs.answers import NOTHING
from llmstream.jobs.inputs import Ask
from llmstream.jobs.keys import bytes_key
from llmstream.jobs.pieces import Pieces
from llmstream.jobs.ray import Cluster, piece_size
from llmstream.jobs.rows import BadRow

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.engine.meter import Completion
    from llmstream.jobs.run import Settings
    from llmstream.jobs.tally import Tally
    from llmstream.jobs.work import Show, Work
    from llmstream.runnable.targets import Target


def on_ray(
    work: Work,
    address: str,
    settings: Settings,
    limits: Callable[[Target], tuple[float, float]],
    environment: Environment,
    tally: Tally,
    show: Show,
) -> LLMStreamError | None:
    """Run a job on a cluster.

    Args:
        work: the job, with its results file, if any, open.
        address: address of the cluster, empty to start one.
        settings: requests at once over the whole cluster, and when to stop.
        limits: returns a target's requests and tokens per minute.
        environment: where answers are written without a results file.
        tally: counts to update.
        show: shows the counts at intervals.

    Returns:
        Why the job ended before the last prompt, None if it did not.

    Raises:
        MissingExtra: Ray is not installed.
        ConnectionFailed: the cluster can't be reached.
    """
    from llmstream.render.jsonl import harmless

    cluster = Cluster(address)
    # Ray installs signal handlers that would end the process
    environment.signals.install()
    write = work.emit_to(lambda line: environment.out.write(harmless(line, environment.out.isatty)))
    shown = time.monotonic()

    def emit(question: Ask | BadRow, key: int, completion: Completion, error: LLMStreamError | None) -> None:
        nonlocal shown
        write(question, key, completion, error)
        if time.monotonic() - shown >= show.every:
            shown = time.monotonic()
            show.show(tally)

    def bad(row: BadRow) -> None:
        emit(row, bytes_key(row.data), NOTHING, row)
        tally.add(row.name, NOTHING, row)

    try:
        pieces = Pieces(work.questions(), piece_size(work.left, settings.jobs), bad)
        return cluster.ask(pieces, settings, limits, tally, emit)
    finally:
        cluster.close()
