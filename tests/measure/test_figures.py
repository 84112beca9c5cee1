"""From samples to figures, tables and pictures."""

from __future__ import annotations

import statistics
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstream.errors import Unavailable, UsageError
from llmstream.events import Finish, ReasoningDelta, Start, TextDelta, Usage
from llmstream.measure.figures import Figures, figures, limits_of, percentile, spread
from llmstream.measure.prompts import made_up
from llmstream.measure.samples import Sample
from llmstream.render.histogram import BARS, figure, histogram, seconds
from llmstream.render.svg import svg
from llmstream.render.table import measured, text_of

VALUES = st.lists(st.floats(0, 1e6), min_size=2, max_size=60)
NASTY = "m\x1b[2J<script>alert(1)</script>&\"'\ufffe\u202ex"


def sample(first: float, *gaps: float, tokens: int | None = None, sent: float = 0.0) -> Sample:
    made = Sample(sent)
    made.write([Start("p", "m")], sent)
    at = sent + first
    made.write([TextDelta("a")], at)
    for gap in gaps:
        at += gap
        made.write([TextDelta("b")], at)
    made.write([Finish("stop"), Usage(output_tokens=tokens)], at)
    return made


def failed() -> Sample:
    made = Sample(0.0)
    made.error, made.ended = Unavailable("busy"), 9.0
    return made


def some(model: str = "m") -> Figures:
    samples = [sample(0.1 * n, 0.01, 0.02 * n, tokens=3, sent=float(n)) for n in range(1, 8)]
    return figures("p", model, [*samples, failed()])


@given(VALUES)
def test_percentiles_are_those_of_the_standard_library(values: list[float]) -> None:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    for share in (50, 90, 99):
        assert percentile(sorted(values), share / 100) == pytest.approx(cuts[share - 1], abs=1e-6)


@given(VALUES)
def test_a_spread_is_in_order(values: list[float]) -> None:
    found = spread(values)
    assert found and found.p50 <= found.p90 <= found.p99 <= found.max == max(values)
    assert min(values) <= found.mean <= found.max


def test_times_are_taken_from_token_to_token() -> None:
    made = Sample(0.0)
    made.write([Start("p", "m")], 10.0)
    made.write([TextDelta("")], 10.5)
    made.write([ReasoningDelta("hm"), TextDelta("a")], 11.0)
    made.write([TextDelta("b")], 11.4)
    made.write([TextDelta(""), Finish("stop")], 11.5)
    made.write([Usage(output_tokens=4)], 11.6)
    assert made.ttft == 1.0
    assert list(made.gaps) == pytest.approx([0.0, 0.4])
    assert made.e2e == pytest.approx(1.6)
    assert made.tpot == pytest.approx(0.2)


def test_failures_are_counted_and_in_no_other_figure() -> None:
    found = some()
    assert (found.requests, dict(found.failures)) == (7, {"Unavailable": 1})
    assert found.e2e and found.e2e.max < 2
    assert found.whole.requests_per_second == pytest.approx(7 / 9)


def test_what_cannot_be_said_is_null() -> None:
    one = figures("p", "m", [sample(0.1)]).to_dict()
    assert one["itl"] is one["tpot"] is one["output_tokens_per_second"] is None
    nothing = figures("p", "m", [failed()]).to_dict()
    assert (nothing["requests"], nothing["ttft"], nothing["e2e"]) == (0, None, None)


@pytest.mark.parametrize(
    ("limits", "good"),
    [({}, 4), ({"ttft": 0.25}, 2), ({"itl": 0.05}, 3), ({"ttft": 0.35, "itl": 0.05}, 2), ({"e2e": 1e-4}, 0)],
)
def test_goodput_counts_what_keeps_all_limits(limits: dict[str, float], good: int) -> None:
    samples = [sample(0.1, 0.01), sample(0.2, 0.09, 0.1), sample(0.3, 0.01), sample(0.4, 0.01)]
    found = figures("p", "m", [*samples, failed()], limits)
    assert found.whole.goodput == pytest.approx(good / 9)


@pytest.mark.parametrize("text", ["bogus=1", "ttft", "ttft=soon", "ttft=0", "ttft=nan", "ttft=1,,itl=1", ""])
def test_limits_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        limits_of(text)


def test_made_up_prompts_are_repeated_by_their_seed_and_differ_by_request() -> None:
    assert made_up(50, 1, 3) == made_up(50, 1, 3) != made_up(50, 1, 4)
    assert made_up(50, 2, 3) != made_up(50, 1, 3)
    assert len(made_up(1000, 0, 0).split()) == 1000


@given(VALUES, st.integers(1, 60))
def test_a_histogram_has_a_bar_where_there_is_a_value(values: list[float], width: int) -> None:
    bars = histogram(values, width)
    assert len(bars) == width and set(bars) <= {*BARS, " "}
    assert bars[0] != " " and (max(values) == min(values) or bars[-1] != " ")
    assert BARS[-1] in bars


@given(st.floats(0, 1e5))
def test_numbers_are_short(value: float) -> None:
    assert len(seconds(value)) <= 8 and len(figure(value)) <= 6


@pytest.mark.parametrize("width", [40, 50, 80, 200])
@pytest.mark.parametrize("color", [True, False])
def test_no_row_is_wider_than_asked_for_and_names_are_harmless(width: int, color: bool) -> None:
    text = text_of(
        measured([some(NASTY), some("b" * 300), figures("p", "n", [failed()])], width), width, color=color
    )
    plain = text.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert "\x1b" not in plain and "\u202e" not in plain
    assert all(len(row) <= width and row == row.rstrip() for row in plain.split("\n"))
    assert "TTFT" in plain and "Unavailable" in plain


def test_the_picture_is_svg_that_runs_nothing_and_loads_nothing() -> None:
    text = svg([some(NASTY), some("other")], "llmstream bench")
    root = ET.fromstring(text)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "style", "defs", "clipPath", "rect", "g", "text", "circle"}
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
