"""`llmstream bench`: measure models under load."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from llmstream.cli.commands.compare import plans_of
from llmstream.cli.exits import Exit, status_of
from llmstream.cli.running.fetching import Fetching
from llmstream.cli.running.outputs import report
from llmstream.cli.signals import Interrupted
from llmstream.errors import LLMStreamError, UsageError
from llmstream.measure.benchmark import measure, of, words_for
from llmstream.measure.figures import LATENCIES, limits_of
from llmstream.measure.load import Load
from llmstream.measure.prompts import DEFAULT
from llmstream.measure.samples import Sample
from llmstream.prompt import Prompt
from llmstream.record import names, replace
from llmstream.render.base import OutputError, encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values
    from llmstream.measure.figures import Figures
    from llmstream.runnable.plan import Plan


PIPE_WIDTH = 80
"""Width of the table without a terminal."""


def run(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Measure models; return exit status 0 if any request succeeded, else the first failure's."""
    environment.check_stdout()
    if values.get("json") and values.get("csv"):
        raise UsageError("--json and --csv can't be combined; use one of them")
    load = _load(values)
    limits = limits_of(str(values["slo"])) if "slo" in values else {}
    picture = _picture(values)
    fetching = Fetching(environment)
    plans = _plans(values, words, environment, fetching)
    samples = [Counted(plan, environment) for plan in plans]
    tokens, status = values.get("prompt_tokens"), 0
    try:
        with asyncio.Runner() as runner:
            try:
                made_up = words_for(int(str(tokens)) if tokens is not None else None, load.seed)
                runner.run(measure(plans, load, samples, made_up))
            finally:
                fetching.stop()
    except Interrupted as interrupt:
        # report what was measured so far
        status = interrupt.status
    fetching.close()
    _erase(environment)
    figures = [of(plan, found, limits) for plan, found in zip(plans, samples, strict=True)]
    environment.out.write(encode(_shown(figures, values, environment)))
    if picture is not None:
        _draw(figures, picture)
    return status or _status(figures, environment)


def _load(values: Values) -> Load:
    """Return the load set by the options.

    Raises:
        UsageError: a number is not valid.
    """
    for name, most in (("requests", None), ("jobs", 100_000), ("prompt_tokens", 10_000_000)):
        value = values.get(name)
        if isinstance(value, int) and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1, not {value}")
        if isinstance(value, int) and most is not None and value > most:
            raise UsageError(f"--{name.replace('_', '-')} must be at most {most}, not {value}")
    rate, duration = values.get("rate"), values.get("duration")
    requests = values.get("requests")
    return Load(
        requests=None if requests is None else int(str(requests)),
        concurrency=int(str(values.get("jobs", 1))),
        rate=None if rate is None else float(str(rate)),
        duration=None if duration is None else float(str(duration)),
        warmup=int(str(values.get("warmup", 1))),
        seed=int(str(values.get("seed", 0))),
        interleave=bool(values.get("interleave")),
    ).checked()


def _picture(values: Values) -> Path | None:
    """Return the path of the SVG image, None for none; check before any request that it can be written."""
    if "svg" not in values:
        return None
    path = Path(str(values["svg"]))
    if path.is_dir():
        raise UsageError(f"can't write {path}: it is a folder")
    if not path.parent.is_dir():
        raise UsageError(f"can't write {path}: the folder {path.parent} doesn't exist")
    return path


def _plans(values: Values, words: Sequence[str], environment: Environment, fetching: Fetching) -> list[Plan]:
    """Return each model's plan; without a prompt, with a default one or only generated words."""
    # --seed belongs to the load, and standard input may be meant for something else in a script
    others = {key: value for key, value in values.items() if key != "seed"}
    others["no_stdin"] = values.get("no_stdin") or "-" not in words
    plans = plans_of(others, words or [DEFAULT], environment, fetching)
    if not words and values.get("prompt_tokens"):
        return [replace(plan, prompt=_emptied(plan.prompt)) for plan in plans]
    return plans


def _emptied(prompt: Prompt) -> Prompt:
    *before, last = prompt.messages
    return Prompt((*before, replace(last, content=last.content.removesuffix(DEFAULT))))


class Counted(list[Sample]):
    """One model's samples; their number is shown on a terminal as they arrive.

    Args:
        plan: the model's plan.
        environment: the streams.
    """

    def __init__(self, plan: Plan, environment: Environment) -> None:
        super().__init__()
        endpoint = plan.targets[0].endpoint
        self._name = f"{endpoint.provider}/{endpoint.model}"
        self._environment = environment

    def append(self, sample: Sample, /) -> None:
        """Add a sample and show their number."""
        super().append(sample)
        environment = self._environment
        if environment.err.isatty and not environment.dumb and not environment.quiet:
            from llmstream.render.guard import one_line

            text = one_line(f"{self._name}: {len(self)} requests", 60)
            environment.err.write(encode(f"\r\x1b[K{text}"))


def _erase(environment: Environment) -> None:
    if environment.err.isatty and not environment.dumb and not environment.quiet:
        environment.err.write(b"\r\x1b[K")


def _shown(figures: Sequence[Figures], values: Values, environment: Environment) -> str:
    """Return the figures in the format set by the options."""
    if values.get("json"):
        return "".join(json.dumps(one.to_dict(), ensure_ascii=False) + "\n" for one in figures)
    if values.get("csv"):
        return _csv([_row(one) for one in figures])
    from llmstream.render.table import measured, text_of

    width = shutil.get_terminal_size().columns if environment.out.isatty else PIPE_WIDTH
    color = environment.out.isatty and environment.colored
    return text_of(measured(figures, width), width, color=color)


def _row(one: Figures) -> dict[str, object]:
    """Return a model's figures as a CSV row with keys such as ``ttft_mean``."""
    row: dict[str, object] = {"provider": one.provider, "model": one.model, "requests": one.requests}
    row["failures"] = sum(one.failures.values())
    for name in LATENCIES:
        spread = getattr(one, name)
        for part in ("mean", "p50", "p90", "p99", "max"):
            row[f"{name}_{part}"] = _decimal(getattr(spread, part, None))
    row["output_tokens_per_second"] = _decimal(one.output_tokens_per_second)
    return row | {f"whole_{name}": _decimal(getattr(one.whole, name)) for name in names(one.whole)}


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _draw(figures: Sequence[Figures], path: Path) -> None:
    from llmstream.render.svg import svg

    try:
        path.write_text(svg(figures, "llmstream bench"), "utf-8")
    except OSError as error:
        raise OutputError(f"can't write {path}: {error.strerror or error}") from error


def _status(figures: Sequence[Figures], environment: Environment) -> int:
    """Return the exit status; if no request succeeded, report the first failure."""
    failures = [sample.error for one in figures for sample in one.samples if sample.error is not None]
    first: LLMStreamError | None = failures[0] if failures else None
    if first is None or any(one.requests for one in figures):
        return Exit.OK
    report(first, environment)
    return status_of(first)
