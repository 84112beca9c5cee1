"""The same job on a Ray cluster: Ray Data's streaming and backpressure for the questions, one writer here.

The driver, which is this process, makes the questions, because it alone has input, FILE and
configuration. It stores them in pieces on its disk; Ray Data passes the pieces' numbers around, and
actors that hold connections, or a loaded model, fetch a piece, ask it, and return the answers. One
actor per provider keeps its limits and pauses. Unless they hold a model, actors reserve hardly any CPU,
because otherwise they would keep Ray Data's own tasks from running.
"""

from __future__ import annotations

import logging
import math
import os
import pickle
from collections.abc import Callable, Iterator
from typing import Final

from llmstream.errors import ConnectionFailed, LLMStreamError, MissingExtra
from llmstream.jobs.inputs import Ask
from llmstream.jobs.pieces import Asking, Outcome, PieceKeeper, Pieces
from llmstream.jobs.remote_limiter import LimiterKeeper
from llmstream.jobs.run import Emit, Settings
from llmstream.jobs.tally import Tally
from llmstream.prompt import Options, Prompt
from llmstream.record import replace
from llmstream.runnable.targets import Target

LARGEST_PIECE: Final = 256
WAVES: Final = 3
"""How often a piece is submitted at most, the first time included: some are lost despite Ray's retries."""


class Cluster:
    """A Ray cluster, joined or started.

    Args:
        address: the address of a running cluster; empty to start one on this machine.

    Raises:
        MissingExtra: Ray is not installed.
        ConnectionFailed: the cluster can't be reached.
    """

    def __init__(self, address: str) -> None:
        os.environ.setdefault("RAY_DEDUP_LOGS", "0")
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise MissingExtra(
                "--ray needs the extra ray", hint="pip install 'llmstream-cli[ray]', here and on each node"
            ) from error
        self._own = not ray.is_initialized()
        if self._own:
            try:
                ray.init(
                    address=address or "local",
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    configure_logging=True,
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise ConnectionFailed(f"no Ray cluster at {address or 'localhost'}: {error}") from error
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)

    def close(self) -> None:
        """Leave the cluster, or stop it if it was started here; a connection made before stays open."""
        import ray

        if self._own:
            ray.shutdown()

    def ask(
        self,
        pieces: Pieces,
        settings: Settings,
        limits: Callable[[Target], tuple[float, float]],
        tally: Tally,
        emit: Emit,
    ) -> LLMStreamError | None:
        """Ask all pieces, and pass each outcome to `emit` once.

        Args:
            pieces: the questions.
            settings: the settings of the whole job.
            limits: returns the requests and tokens per minute of a provider's target.
            tally: the counts, kept up to date.
            emit: called with each outcome, in this process.

        Returns:
            The error that ended it before the last prompt, None if it finished or reached max_failures.
        """
        work = _Work(pieces, settings, limits)
        left = set(range(len(pieces)))
        for _ in range(WAVES):
            for number, outcomes, ended_by in work.run(sorted(left)):
                if number not in left:
                    continue
                left.discard(number)
                for id_, key, line, completion, error in outcomes:
                    question = Ask(id_, key, line, Prompt(()), Options(), ())
                    emit(question, key, completion, error)
                    tally.add(id_, completion, error)
                if ended_by is not None:
                    return ended_by
                if settings.max_failures and tally.failed >= settings.max_failures:
                    return None
            if not left:
                return None
        return ConnectionFailed(
            f"{len(left)} parts of the job were lost on the cluster", hint="run the same command again"
        )


class _Work:
    """The actors of one job."""

    def __init__(
        self, pieces: Pieces, settings: Settings, limits: Callable[[Target], tuple[float, float]]
    ) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        kept = {"num_cpus": 0, "scheduling_strategy": here, "max_restarts": -1, "max_task_retries": -1}
        keeper = ray.remote(PieceKeeper)
        self._pieces = keeper.options(**kept).remote(pieces.file.name, pieces.offsets)
        limiter = ray.remote(LimiterKeeper)
        self._limiters: dict[str, object] = {}
        for group in pieces.targets:
            for target, _, _ in group:
                name = target.endpoint.provider
                if name not in self._limiters:
                    rpm, tpm = limits(target)
                    many = {**kept, "max_concurrency": 4 * settings.jobs + 100}
                    self._limiters[name] = limiter.options(**many).remote(rpm, tpm, settings.jobs)
        self._targets = pieces.targets
        self._settings = settings
        self._local = any(target.local is not None for group in pieces.targets for target, _, _ in group)

    def run(self, numbers: list[int]) -> Iterator[tuple[int, list[Outcome], LLMStreamError | None]]:
        """Yield each piece's number, outcomes and the error that ended it, if any; in any order."""
        import ray

        resources = ray.cluster_resources()  # type: ignore[no-untyped-call,unused-ignore]
        cpus = max(1, int(resources.get("CPU", 1)))
        actors = max(1, min(cpus, self._settings.jobs, len(numbers)))
        each = replace(self._settings, jobs=math.ceil(self._settings.jobs / actors), max_failures=0)
        asked = ray.data.from_items(numbers, override_num_blocks=len(numbers)).map_batches(
            Asking,
            fn_constructor_args=(self._pieces, self._limiters, self._targets, each),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=2),
            num_cpus=1 if self._local else 0.01,
        )
        for row in asked.iter_rows():
            outcomes, ended_by = pickle.loads(row["outcomes"])  # noqa: S301  # our own actors made it
            yield int(row["number"]), outcomes, ended_by


def piece_size(prompts: int | None, jobs: int) -> int:
    """Return the number of questions in a piece: few enough for all actors to finish at about the same time.

    Args:
        prompts: number of prompts to ask, None if unknown.
        jobs: most concurrent requests.
    """
    if prompts is None:
        return max(16, min(LARGEST_PIECE, 4 * jobs))
    return max(1, min(LARGEST_PIECE, max(jobs, 16), math.ceil(prompts / 8)))
