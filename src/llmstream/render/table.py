"""Tables for people: several models' answers compared, and the report of a measurement.

rich lays them out for a given width.  The result is text for a terminal, a pipe or a file, with no
control sequences except those for colours and styles.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from llmstream.engine.meter import Completion
from llmstream.measure.figures import LATENCIES, Figures, Spread
from llmstream.record import names
from llmstream.render.guard import one_line
from llmstream.render.histogram import figure, histogram, seconds

TITLES: Final = {"ttft": "TTFT", "itl": "ITL", "e2e": "E2E", "tpot": "TPOT"}
AT_END: Final = re.compile(r"(?: |\x1b\[[0-9;]*m)+$", re.MULTILINE)
ALL_COLUMNS: Final = 49
"""Width, in terminal cells, from which the table of latencies has all its columns."""
MOST_BINS: Final = 48
GAP: Final = 2
"""Spaces between two columns: one of padding, one in place of a line."""
LONGEST_NAME: Final = 40


def text_of(parts: Iterable[RenderableType], width: int, *, color: bool) -> str:
    """Return rich's rendering of these parts as text.

    Args:
        parts: printed one below the other.
        width: cells of a line; at least 20 are used.
        color: whether the text may have colours and styles.
    """
    console = Console(
        file=io.StringIO(),
        width=max(width, 20),
        color_system="standard" if color else None,
        force_terminal=color,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    with console.capture() as captured:
        for part in parts:
            console.print(part, no_wrap=isinstance(part, Text), overflow="ellipsis")
    # rich pads rows with spaces
    return AT_END.sub(lambda match: match[0].replace(" ", ""), captured.get())


def compared(completions: Sequence[Completion], reasons: Sequence[str], width: int) -> list[RenderableType]:
    """Return the table of several models' answers.

    Args:
        completions: the result of each model.
        reasons: why each answer ended, in the same order.
        width: cells of a line.
    """
    costs = any(one.usage.cost is not None for one in completions)
    rows = [("model", "TTFT", "total", "tokens/s", "tokens", *(["cost"] if costs else []), "finish")]
    for one, reason in zip(completions, reasons, strict=True):
        usage, timing = one.usage, one.timing
        cost = ["-" if usage.cost is None else f"{usage.cost:.4g}"] if costs else []
        rows.append(
            (
                name_of(one.provider, one.model),
                seconds(timing.ttft),
                seconds(timing.total),
                figure(timing.output_tokens_per_second),
                "-" if usage.output_tokens is None else str(usage.output_tokens),
                *cost,
                reason,
            )
        )
    return [_table(rows, width)]


def measured(figures: Sequence[Figures], width: int) -> list[RenderableType]:
    """Return the report of a measurement: a table and histograms for each model, and a comparison."""
    parts: list[RenderableType] = []
    for one in figures:
        parts += [Text(name_of(one.provider, one.model), style="bold"), *_summary(one)]
        if one.requests:
            parts += [_latencies(one, width), *_histograms(one, width)]
        parts.append(Text(""))
    if len(figures) > 1:
        parts += [_side_by_side(figures, width)]
    return parts


def name_of(provider: str, model: str) -> str:
    """Return PROVIDER/MODEL, made safe and short."""
    return one_line(f"{provider}/{model}", LONGEST_NAME)


def _table(rows: Sequence[Sequence[str]], width: int) -> Table:
    """Return a table whose first row is the headings; if not all columns fit, the first is shortened."""
    figures = [max(map(cell_len, column)) for column in list(zip(*rows, strict=True))[1:]]
    left = width - sum(figures) - GAP * len(figures)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 0, 0, 1), header_style="dim")
    table.add_column(rows[0][0], overflow="ellipsis", no_wrap=True, max_width=max(left, 4))
    for name, least in zip(rows[0][1:], figures, strict=True):
        table.add_column(name, justify="right", overflow="ellipsis", no_wrap=True, min_width=least)
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    return table


def _summary(one: Figures) -> list[Text]:
    """Return the lines with the number of requests and their rate."""
    counts = [f"{one.requests} request{'' if one.requests == 1 else 's'}"]
    counts += [f"{number} failed ({kind})" for kind, number in one.failures.items()]
    whole, lines = one.whole, [Text(", ".join(counts))]
    if one.requests:
        rates = [f"{figure(whole.requests_per_second)} requests/s"]
        if abs(whole.goodput - whole.requests_per_second) > 1e-9:
            rates.append(f"{figure(whole.goodput)} within the --slo limits")
        rates.append(f"{figure(one.output_tokens_per_second)} tokens/s each")
        rates.append(f"{figure(whole.output_tokens_per_second)} tokens/s overall")
        lines.append(Text(", ".join(rates)))
    return lines


def _latencies(one: Figures, width: int) -> Table:
    columns = names(one.e2e) if one.e2e and width >= ALL_COLUMNS else ("p50", "p90", "max")
    rows = [("", *columns)]
    for name in LATENCIES:
        spread: Spread | None = getattr(one, name)
        rows.append((TITLES[name], *(seconds(getattr(spread, column, None)) for column in columns)))
    return _table(rows, width)


def _histograms(one: Figures, width: int) -> list[Text]:
    good = [sample for sample in one.samples if sample.error is None]
    rows = {
        "ttft": [sample.ttft for sample in good if sample.ttft is not None],
        "itl": [gap for sample in good for gap in sample.gaps],
        "e2e": [sample.e2e for sample in good],
    }
    bins = max(8, min(MOST_BINS, width - 28))
    return [
        Text(f"{TITLES[name]:<5}{seconds(min(values)):>8} ▕{histogram(values, bins)}▏ {seconds(max(values))}")
        for name, values in rows.items()
        if values
    ]


def _side_by_side(figures: Sequence[Figures], width: int) -> Table:
    rows = [("p50", "TTFT", "ITL", "E2E", "tokens/s")]
    for one in figures:
        halves = [seconds(spread.p50 if spread else None) for spread in (one.ttft, one.itl, one.e2e)]
        ttft, itl, e2e = halves
        rows.append((name_of(one.provider, one.model), ttft, itl, e2e, figure(one.output_tokens_per_second)))
    return _table(rows, width)
