"""`llmstream batch --deferred`: run the job through the provider's own batch interface."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llmstream.cli.exits import Exit
from llmstream.errors import UsageError
from llmstream.jobs.deferred.run import Deferred
from llmstream.render.job import summary

if TYPE_CHECKING:
    from llmstream.cli.environment import Environment
    from llmstream.jobs.work import Work


def deferred(work: Work, environment: Environment, *, wait: bool, output: str | None) -> int:
    """Upload, check or fetch a deferred job, and return the exit status.

    Args:
        work: the job, with its results file open.
        environment: where progress is reported.
        wait: whether to wait until the job is done.
        output: name of the results file.

    Raises:
        UsageError: the input can't be read twice.
    """

    if not work.source.repeatable:
        raise UsageError("--deferred needs an input that can be read twice: a file, not a pipe")
    tally = work.tally(time.monotonic)
    try:
        done = Deferred(work, tally, environment.say).run(wait=wait)
    finally:
        if tally.ended:
            work.note_order()
            work.put_in_order()
    if not done:
        environment.say("run the same command again to check progress and fetch the answers")
    elif not environment.quiet:
        environment.err.write(summary(tally, output=output, color=environment.colored))
    return Exit.BATCH if tally.failed else Exit.OK
